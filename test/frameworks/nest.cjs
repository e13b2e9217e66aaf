require('reflect-metadata');
const { Controller, Get, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');

class Who {
  who() {
    return String(process.pid);
  }
}
Get()(Who.prototype, 'who', Object.getOwnPropertyDescriptor(Who.prototype, 'who'));
Controller()(Who);

class App {}
Module({ controllers: [Who] })(App);

NestFactory.create(App, { logger: ['error'] }).then((app) => {
  app.enableShutdownHooks();
  return app.listen(Number(process.env.PORT));
});
