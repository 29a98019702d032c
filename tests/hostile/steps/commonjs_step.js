const { old, here } = require('../lib/old.cjs');
const { shout } = require('../lib/util');
module.exports = {
  config: { type: 'event', name: 'commonjs', subscribes: ['x'], emits: [] },
  handler: async () => ({ old: old(), here, shout: shout('b'), dir: __dirname }),
};
