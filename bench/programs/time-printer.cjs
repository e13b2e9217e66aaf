// Prints the time, to the microsecond, each 50 ms.
setInterval(() => console.log(`at ${performance.timeOrigin + performance.now()}`), 50);
