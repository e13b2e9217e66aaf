const express = require('express');

const app = express();
app.get('/', (_request, response) => {
  response.send(String(process.pid));
});
app.listen(Number(process.env.PORT));
