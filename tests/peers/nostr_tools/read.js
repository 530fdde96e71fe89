// Events in (a JSON array), and what nostr-tools reads in each out: its validity, root and parent.

import { text } from "node:stream/consumers";
import * as nip10 from "nostr-tools/nip10";
import * as nip22 from "nostr-tools/nip22";
import { verifyEvent } from "nostr-tools/pure";

const COMMENT = 1111;

function key(pointer) {
  if (!pointer) return null;
  return pointer.id ?? pointer.value ?? `${pointer.kind}:${pointer.pubkey}:${pointer.identifier}`;
}

function read(event) {
  const { root, reply } = (event.kind === COMMENT ? nip22 : nip10).parse(event);
  return { valid: verifyEvent(event), root: key(root), parent: key(reply) };
}

console.log(JSON.stringify(JSON.parse(await text(process.stdin)).map(read)));
