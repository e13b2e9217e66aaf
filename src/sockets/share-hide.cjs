module.exports = { hide };

/** A property of an object of the program that shows neither in its output nor in its loops. */
function hide(object, name, value) {
  Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });
}
