// Quiet hints while notes are written: at words that judge, and at what may be the name of a pupil. What is typed stays
// on this device: only the lists come from the server. Without this script there are no hints, and nothing else changes.
//
// The same as lti_tool/observation/hints.py, sentence by sentence; tests/observation/hint_cases.yaml runs against both.
//
//   const finder = new Finder(lists);      lists: Lists.to_json(), as /words.json and /visit/<id>/data have it
//   finder.judging(text)                   [{said, ask}]
//   finder.names(text)                     [said]
//   watch(box, finder, words)              hints under a box while it is typed in; words: see WORDS

const LETTER = "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ";
const TOKEN = new RegExp(`[${LETTER}]+(?:'[${LETTER}]+)*`, "g");
const PHRASE = new RegExp(`[${LETTER}]+(?:'[${LETTER}]+)*|\\*`, "g");
const QUOTED = /“[^”\n]*”?|„[^”“\n]*[”“]?|«[^»\n]*»?|"[^"\n]*"?/g;
const SINGLE_QUOTED = new RegExp(`‘[^\\n]*?(?:[’'](?![${LETTER}])|$)|(^|[\\s(])'[^'\\n]*(?:'[${LETTER}][^'\\n]*)*'`, "gm");
const CURLY = new RegExp(`([${LETTER}])’(?=[${LETTER}])`, "g");
const BEFORE = ["go", "chomh", "very", "really", "so", "quite"];
const LANGUAGES = ["en", "ga"];

const ENGLISH = [
  ["'s", ""], ["s", ""], ["es", ""], ["ed", ""], ["ed", "e"], ["ing", ""], ["ing", "e"], ["ly", ""], ["ly", "le"],
  ["er", ""], ["er", "e"], ["est", ""], ["est", "e"], ["ily", "y"], ["ier", "y"], ["iest", "y"], ["ied", "y"],
  ["ies", "y"], ["ness", ""], ["iness", "y"],
];
const DOUBLING = ["ed", "ing", "er", "est"];
const ECLIPSED = [
  ["bhf", "f"], ["mb", "b"], ["gc", "c"], ["nd", "d"], ["ng", "g"], ["bp", "p"], ["dt", "t"], ["ts", "s"],
  ["b'", ""], ["d'", ""], ["m'", ""],
];
const IRISH = [["a", ""], ["e", ""], ["acha", "ach"], ["eacha", "each"], ["aí", "ach"], ["í", "each"], ["úla", "úil"]];
const LENITED = "bcdfgmpst";
const VOWELS = "aeiouáéíóú";

const PARTICLES = ["Ó", "Ní", "Mac", "Mc", "Nic", "Mhic", "Uí", "O"];
const PREFIX =
  /^(?:bh(?=F)|m(?=B)|g(?=C)|n(?=[DGAEIOUÁÉÍÓÚ])|b(?=P)|d(?=T)|t(?=[SAEIOUÁÉÍÓÚ])|h(?=[AEIOUÁÉÍÓÚ]))/;
const OPENING = ['"', "“", "«", "‘"];
const STARTS = /(?:^[\s\d•*:.)–—-]*|[.!?…:;(][\s\d]*|["“«‘][\s]*)$/;

export class Finder {
  constructor(lists) {
    this.asks = lists.asks;
    this.given = new Set(lists.given);
    this.ordinary = new Set(lists.ordinary);
    this.starters = new Set(lists.starters);
    this.phrases = new Map();
    for (const language of LANGUAGES) {
      for (const [ask, phrases] of Object.entries(lists.judging[language])) {
        for (const phrase of phrases) this.add(language, plain(phrase).toLowerCase().match(PHRASE) ?? [], ask);
      }
    }
  }

  add(language, words, ask) {
    if (!words.length) return;
    const key = `${language} ${words[0]}`;
    if (!this.phrases.has(key)) this.phrases.set(key, []);
    this.phrases.get(key).push([words, ask]);
  }

  /** Where a text judges, in its order. What stands in quotation marks is somebody's speech, and left alone. */
  judging(written) {
    const text = plain(written);
    const tokens = tokensOf(text.replace(QUOTED, blank).replace(SINGLE_QUOTED, blank));
    const forms = tokens.map(({ word }) => ({ en: english(word), ga: irish(word) }));
    const found = [];
    let free = 0;
    for (let index = 0; index < tokens.length; ) {
      let [length, ask] = [0, "plain"];
      for (const language of LANGUAGES) {
        for (const form of forms[index][language]) {
          for (const [words, asked] of this.phrases.get(`${language} ${form}`) ?? []) {
            const longer = words.length > length || (words.length === length && asked === "plain");
            if (longer && stands(words, tokens, forms, index, language)) [length, ask] = [words.length, asked];
          }
        }
      }
      if (length && ask !== "plain") {
        let begin = index;
        const joined = () => text[tokens[begin - 1].end] === "-" || BEFORE.includes(tokens[begin - 1].word);
        while (begin > free && tokens[begin].after && joined()) begin -= 1;
        found.push({ said: text.slice(tokens[begin].start, tokens[index + length - 1].end), ask });
        free = index + length;
      }
      index += length || 1;
    }
    return found;
  }

  /** What may be somebody's name: a capital inside of a sentence, a frequent given name, Ó, Ní, Mac … */
  names(written) {
    const found = new Set();
    for (const line of plain(written).split("\n")) {
      const tokens = [...line.matchAll(TOKEN)].map((each) => ({
        word: each[0], start: each.index, end: each.index + each[0].length,
      }));
      for (let index = 0; index < tokens.length; ) {
        const taken = this.nameAt(line, tokens, index);
        if (taken) found.add(line.slice(tokens[index].start, tokens[index + taken - 1].end));
        index += taken || 1;
      }
    }
    return [...found];
  }

  nameAt(line, tokens, index) {
    const { word, start, end } = tokens[index];
    const bare = bareOf(word);
    const isOrdinary = (each) => ways(bareOf(each)).some((way) => this.ordinary.has(way));
    let taken = 1;
    if (PARTICLES.includes(word)) {
      // In Irish Ó and Ní are also "from" and "not": those stand before what is no name.
      const following = tokens[index + 1];
      if (!following || line.slice(end, following.start) !== " ") return 0;
      if (!isCapital(following.word) || isOrdinary(following.word)) return 0;
      taken = 2;
    } else if (!isCapital(word)) {
      return 0;
    } else if (!ways(bare).some((way) => this.given.has(way))) {
      // “Brendan, what is next?”
      const called = line[end] === "," && OPENING.includes(line[start - 1]) && !this.starters.has(bare.toLowerCase());
      if (isOrdinary(word) || (STARTS.test(line.slice(0, start)) && !called)) return 0;
    }
    while (index + taken < tokens.length) {
      const [last, following, after] = [-1, 0, 1].map((step) => tokens[index + taken + step]);
      if (![" ", "-"].includes(line.slice(last.end, following.start))) break;
      if ([...PARTICLES, "de"].includes(following.word) && after) {
        if (!isCapital(after.word) || isOrdinary(after.word)) break;
        taken += 2;
      } else if (isCapital(following.word) && !isOrdinary(following.word)) {
        taken += 1;
      } else {
        break;
      }
    }
    return taken;
  }
}

function plain(text) {
  return text.normalize("NFC").replace(CURLY, "$1'");
}

function blank(found) {
  return "\ufffc".repeat(found.length);
}

function tokensOf(text) {
  const found = [];
  for (const each of text.matchAll(TOKEN)) {
    const gap = found.length ? text.slice(found.at(-1).end, each.index) : ".";
    found.push({
      start: each.index, end: each.index + each[0].length, word: each[0].toLowerCase(),
      after: /^(?:[ \t\u00a0]+|-)$/.test(gap),
    });
  }
  return found;
}

function stands(words, tokens, forms, index, language) {
  if (index + words.length > tokens.length) return false;
  return words.every((word, at) => {
    if (!at) return true;
    return tokens[index + at].after && (word === "*" || forms[index + at][language].has(word));
  });
}

function english(word) {
  const found = new Set([word]);
  for (const [ending, instead] of ENGLISH) {
    if (!word.endsWith(ending) || word.length - ending.length < 3) continue;
    const stem = word.slice(0, -ending.length);
    found.add(stem + instead);
    if (DOUBLING.includes(ending) && stem.at(-1) === stem.at(-2)) found.add(stem.slice(0, -1));
  }
  return found;
}

function irish(word) {
  const found = new Set([word]);
  for (const [begins, instead] of ECLIPSED) if (word.startsWith(begins)) found.add(instead + word.slice(begins.length));
  if (word.length > 1 && "hnt".includes(word[0]) && VOWELS.includes(word[1])) found.add(word.slice(1));
  for (const each of [...found]) {
    if (each.length > 2 && LENITED.includes(each[0]) && each[1] === "h") found.add(each[0] + each.slice(2));
  }
  for (const each of [...found]) {
    for (const [ending, instead] of IRISH) {
      if (each.endsWith(ending) && each.length - ending.length >= 3) found.add(each.slice(0, -ending.length) + instead);
    }
  }
  return found;
}

function isCapital(word) {
  const bare = bareOf(word);
  return bare.length > 1 && bare[0] !== bare[0].toLowerCase() && bare.slice(1) !== bare.slice(1).toUpperCase();
}

function bareOf(word) {
  return word.replace(PREFIX, "").replace(/'s$/, "");
}

function ways(word) {
  const lenited = word.length > 2 && LENITED.includes(word[0].toLowerCase()) && word[1] === "h";
  return [word, word.replace(/s$/, ""), lenited ? word[0] + word.slice(2) : word];
}

// --- the line under a box ---------------------------------------------------------------------------------------------

const PAUSE = 1500; // ms without a key: then something may be said, once
const AWAY = "meitheal/hints"; // in localStorage, once somebody has put hints away for good

/** Whether hints are put away for good on this device. */
export function isAway() {
  try {
    return localStorage.getItem(AWAY) === "away";
  } catch {
    return false;
  }
}

/** Puts hints away for good on this device, or brings them back. */
export function putAway(away = true) {
  try {
    if (away) localStorage.setItem(AWAY, "away");
    else localStorage.removeItem(AWAY);
  } catch {
    // This browser keeps nothing: they are away until the page is left.
  }
  for (const stop of watching) stop(away);
}

const watching = new Set();

/**
 * Hints under a box (input or textarea), put after `place`. One at a time, once for each pause in typing; a word at
 * which was hinted, or whose hint was closed, is left alone from then on.
 * WORDS: {close, never, about} labels of the two buttons and a sentence on who sees what is typed.
 */
export function watch(box, finder, words, place = box) {
  let timer, shown, off = isAway();
  const told = new Set();
  const { line, status, rest } = makeLine(words, () => show(null));
  place.after(line);

  function show(next) {
    shown = next && key(next);
    rest.hidden = !next;
    status.textContent = next ? `“${next[0]}”: ${questions(next[1]).map((ask) => finder.asks[ask]).join(" ")}` : "";
    if (next) told.add(shown);
  }

  function look() {
    if (off) return;
    const found = [
      ...finder.judging(box.value).map(({ said, ask }) => [said, ask]),
      ...finder.names(box.value).map((said) => [said, "name"]),
    ];
    const next = found.filter((each) => !told.has(key(each))).at(-1);
    if (next) show(next);
    else if (shown && !found.some((each) => key(each) === shown)) show(null);
  }

  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  watching.add((away) => {
    off = away;
    if (away) show(null);
  });
}

function questions(ask) {
  return ["seen", "name"].includes(ask) ? [ask] : ["seen", ask];
}

function key([said, ask]) {
  return `${ask} ${said.toLowerCase()}`;
}

/** The line is there from the beginning, empty: what is put into it later is then read out by screen readers. */
function makeLine(words, hide) {
  const [line, status, rest, about] = ["div", "p", "div", "p"].map((tag) => document.createElement(tag));
  line.className = "hint-line";
  status.setAttribute("role", "status");
  about.className = "soft";
  about.textContent = words.about;
  rest.hidden = true;
  rest.append(about, button(words.close, hide), button(words.never, () => putAway()));
  line.append(status, rest);
  return { line, status, rest };
}

function button(label, does) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn btn-link";
  made.textContent = label;
  made.addEventListener("click", does);
  return made;
}

// --- the pages of a cycle ---------------------------------------------------------------------------------------------

/** Watches the boxes in parts of a page with data-hints, the address of the lists. */
async function begin() {
  const parts = [...document.querySelectorAll("[data-hints]")];
  if (!parts.length || isAway()) return;
  const answer = await fetch(parts[0].dataset.hints, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { lists, words } = await answer.json();
  const finder = new Finder(lists);
  for (const part of parts) {
    for (const box of part.querySelectorAll("textarea, input[type=text]")) {
      watch(box, finder, words, box.closest("[data-text-field]") ?? box);
    }
  }
}

if (typeof document !== "undefined") {
  begin().catch(() => {
    // No hints without the lists; nothing else depends on them.
  });
  // The page on which the words are: the way back, for who has put them away.
  for (const part of document.querySelectorAll("[data-hints-away]")) {
    part.hidden = !isAway();
    part.querySelector("button").addEventListener("click", () => {
      putAway(false);
      part.hidden = true;
    });
  }
}
