#!/usr/bin/env node
'use strict';
require('./run.cjs')('commands/stead-pm2-runtime.cjs');
