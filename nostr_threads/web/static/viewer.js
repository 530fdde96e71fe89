// Everything a page does beyond being read. Without it all of a thread can be read, and nothing written.
import "./token.js";
import "./threads.js";
import "./pictures.js";
import "./looked.js";
import "./live.js";
import "./fetching.js";
import "./keys.js";
import "./composer.js";
