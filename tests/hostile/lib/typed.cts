import path = require('node:path');
const answer: number = 42;
export = { answer, base: path.basename(__filename) };
