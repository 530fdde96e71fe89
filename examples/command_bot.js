// Throws dice for whoever asks: "2d6" is two dice of six sides. See command_bot.toml.
//
// It is run once for each question. One line of JSON comes in; one goes out, or nothing for silence.
// Whatever it writes to stderr is shown to the bot's owner where it fails.

'use strict';

const { randomInt } = require('node:crypto');
const { readFileSync } = require('node:fs');

const asked = JSON.parse(readFileSync(0, 'utf8'));
const found = /\b(\d{1,2})d(\d{1,3})\b/.exec(asked.text);
const [count, sides] = found === null ? [0, 0] : [Number(found[1]), Number(found[2])];

if (count > 0 && sides > 0) {
  const thrown = Array.from({ length: count }, () => randomInt(1, sides + 1));
  const sum = thrown.reduce((a, b) => a + b);
  const text = `${asked.author.name} throws ${thrown.join(' + ')} = ${sum}.`;
  console.log(JSON.stringify({ text, as: 'note' }));
}
