/** The SWC options of the build, for jest: one source for how TypeScript becomes JavaScript. */
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const { $schema: _schema, ...options } = JSON.parse(readFileSync(join(__dirname, '.swcrc'), 'utf8'));
module.exports = { ...options, swcrc: false };
