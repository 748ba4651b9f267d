// The time of a visit by a steady clock, whatever happens to the phone's.
//
// While the page is looked at, time goes by performance.now(): it does not jump when somebody sets the phone's clock. But
// it stands still while a phone sleeps, and begins anew with a page. Over those gaps time goes by Date, as far as it goes
// forward and is believable; it never goes back.

const JUMP = 1500; // ms by which the two clocks may differ before one of them must have stood still
export const LONGEST = 6 * 3600 * 1000; // ms of a visit

export class Clock {
  /**
   * Begins `ago` ms after the visit did, or goes on from `known`: {at, date, ends} of an earlier page of this visit. It
   * stands still from `ends` on, where the lesson is over and only something is added.
   */
  constructor(known, ago = 0, ends = LONGEST) {
    this.ends = known?.ends ?? ends;
    const gap = known ? Date.now() - known.date : 0;
    this.ms = known ? known.at + (gap > 0 && gap < LONGEST ? gap : 0) : ago;
    this.#anchor();
    this.wasAway = false;
    document.addEventListener("visibilitychange", () => this.away());
    document.addEventListener("freeze", () => this.away());
  }

  /** The phone may sleep from now on. */
  away() {
    this.at();
    this.wasAway = true;
  }

  /** ms since the visit began, whole. */
  at() {
    const steady = performance.now() - this.steady;
    const slept = Date.now() - this.date - steady;
    this.ms += steady + (this.wasAway && slept > JUMP && slept < LONGEST ? slept : 0);
    this.#anchor();
    if (!document.hidden) this.wasAway = false;
    return Math.min(Math.round(this.ms), this.ends);
  }

  /** From which the next page goes on. */
  known() {
    return { at: this.at(), date: Date.now(), ends: this.ends };
  }

  #anchor() {
    this.steady = performance.now();
    this.date = Date.now();
  }
}

/** 3:05 of 185,000 ms. */
export function minutes(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
