// URL, ROOT, WORD and perhaps SECRET in (environment); out, what nostr-tools gets of the thread there:
// every event, whether it is genuine, how many are counted and which are found by the word.

import { finalizeEvent, verifyEvent } from "nostr-tools/pure";
import { Relay } from "nostr-tools/relay";
import { hexToBytes } from "nostr-tools/utils";

const { URL: url, ROOT: root, WORD: word, SECRET: secret } = process.env;

function ask(relay, filter) {
  return new Promise((resolve, reject) => {
    const events = [];
    const subscription = relay.subscribe([filter], {
      onevent: (event) => events.push(event),
      oneose: () => {
        resolve(events);
        subscription.close();
      },
      onclose: reject,
    });
  });
}

async function thread(relay) {
  const found = new Map((await ask(relay, { ids: [root] })).map((event) => [event.id, event]));
  let asked = [root];
  while (asked.length) {
    const fresh = (await ask(relay, { "#e": asked, limit: 500 })).filter(({ id }) => !found.has(id));
    for (const event of fresh) found.set(event.id, event);
    asked = fresh.map(({ id }) => id);
  }
  return [...found.values()];
}

// As its users do: what is refused before the relay has taken who we are is asked again.
async function known(relay) {
  const sign = async (event) => finalizeEvent(event, hexToBytes(secret));
  await ask(relay, { limit: 0 }).catch(() => relay.auth(sign));
}

const relay = await Relay.connect(url);
if (secret) await known(relay);
const events = await thread(relay);
const result = {
  ids: events.map(({ id }) => id),
  valid: events.every(verifyEvent),
  count: await relay.count([{ kinds: [1] }], {}),
  found: (await ask(relay, { search: word })).map(({ id }) => id),
};
if (secret) {
  const note = { kind: 1, created_at: Math.floor(Date.now() / 1000), tags: [], content: "mine" };
  result.published = await relay.publish(finalizeEvent(note, hexToBytes(secret)));
}
relay.close();
console.log(JSON.stringify(result));
