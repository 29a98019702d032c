// Stands for Motia's adapters and plugins, whose work is done elsewhere here. What a project's
// config makes of them carries the package, the name and the options, and never runs.
'use strict';

const MARK = Symbol.for('motia-celery.stand-in');

function part(source, name, own) {
  function Part(...options) {
    const made = new.target ? this : Object.create(Part.prototype);
    made[MARK] = { package: source, name, options };
    return made;
  }
  Part[MARK] = { package: source, name, options: [] };
  const get = (target, key) => {
    if (typeof key === 'symbol' || key in target) return target[key];
    return own[key] ?? (key === '__esModule' || key === 'then' ? undefined : part(source, key, own));
  };
  return new Proxy(Part, { get });
}

// What the package exports: anything, by any name, and by default.
module.exports = (source) => part(source, 'default', source === '@motiadev/core' ? require('./index.cjs') : {});
module.exports.MARK = MARK;
