"use strict";
(() => {
  // src/cut.ts
  var BOXES = ".calculation, .maths, .scroll";
  function mark(box) {
    box.classList.toggle("cut", box.scrollWidth > box.clientWidth + 1);
  }
  function startCuts(signal) {
    const inSight = /* @__PURE__ */ new Set();
    const seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) inSight.add(target);
        else inSight.delete(target);
      }
      inSight.forEach(mark);
    });
    for (const box of document.querySelectorAll(BOXES)) seen.observe(box);
    signal.addEventListener("abort", () => seen.disconnect());
    window.addEventListener("resize", () => inSight.forEach(mark), { signal });
    void document.fonts.ready.then(() => inSight.forEach(mark));
  }

  // src/judge.ts
  var RIGHT = 0.01;
  var CLOSE = 0.1;
  function signOf(shown) {
    const value = Number(shown);
    return value > 0 ? "positive" : value < 0 ? "negative" : "zero";
  }
  function readNumber(given) {
    const text = given.trim().replace(/[−–]/g, "-").replace(",", ".");
    const found = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
    return Number.isFinite(found) ? found : null;
  }
  function judge(shown, given) {
    const guess = readNumber(given);
    if (guess === null) return null;
    const value = Number(shown);
    const signed = /^[+\-−–]/.test(given.trim());
    const away = signed ? Math.abs(guess - value) : Math.abs(Math.abs(guess) - Math.abs(value));
    if (away <= RIGHT * Math.abs(value)) return "right";
    return away <= CLOSE * Math.abs(value) ? "close" : "wrong";
  }

  // src/refs.ts
  var LOSS = /* @__PURE__ */ new Set(["C", "l", "y", "p", "L"]);
  function partOf(ref) {
    const [, stem = "", index = ""] = /^(.*?)((?:\[\d+\])*)$/u.exec(ref) ?? [];
    const state = /_([Wb]\d+)$/.exec(stem);
    if (state) return `${state[1]}${index}`;
    const bare = stem.replace(/^(∂C\/∂|Δ|credit )/u, "").replace(/_[a-z]+$/, "");
    const [, head = "", layer = ""] = /^(.*?)(\d*)$/u.exec(bare) ?? [];
    const last = index.match(/\d+/g)?.at(-1);
    if (LOSS.has(head) && !layer) return "C";
    if (last === void 0) return null;
    if (head === "x") return `x[${last}]`;
    if (!layer) return null;
    if (head === "W" || head === "b") return `${head}${layer}${index}`;
    return head === "m" ? null : `n${layer}.${last}`;
  }
  function leadsInto(part, neuron) {
    const into = /^n(\d+)\.(\d+)$/.exec(neuron);
    if (!into) return false;
    const [, layer, i] = into;
    return part.startsWith(`W${layer}[${i}]`) || part === `b${layer}[${i}]`;
  }
  function lights(target, part) {
    return part === target || leadsInto(part, target);
  }
  function inputOf(part) {
    const found = /^W1\[\d+\](\[\d+\])$/.exec(part);
    return found ? `x${found[1]}` : null;
  }

  // src/links.ts
  var TEXT = ".term, [data-ref]";
  var CONTROLS = "button, input, label, a";
  var SHAPE = "[data-ref], [data-row]";
  function refOf(element2) {
    return element2.getAttribute("data-ref") ?? element2.getAttribute("data-row") ?? "";
  }
  function named(element2) {
    const within2 = [...element2.querySelectorAll("[data-ref]")];
    return element2.hasAttribute("data-ref") ? [element2, ...within2] : within2;
  }
  function partsIn(element2) {
    return new Set(named(element2).flatMap((e) => partOf(refOf(e)) ?? []));
  }
  var Links = class {
    constructor(story, picture, status, words, onLit, onParts, signal) {
      this.picture = picture;
      this.status = status;
      this.words = words;
      this.onLit = onLit;
      this.onParts = onParts;
      this.signal = signal;
      for (const element2 of story.querySelectorAll("[data-ref]")) {
        const part = partOf(refOf(element2));
        if (part) this.texts.set(part, [...this.texts.get(part) ?? [], element2]);
      }
      this.shapes = [...picture.querySelectorAll(SHAPE)];
      this.listen(story, TEXT);
      this.listen(picture, SHAPE);
      document.addEventListener("keydown", (event) => {
        if (event.key === "Escape") this.clear();
      }, { signal });
    }
    picture;
    status;
    words;
    onLit;
    onParts;
    signal;
    texts = /* @__PURE__ */ new Map();
    shapes;
    pinned = null;
    lit = [];
    listen(area, selector) {
      const found = (event) => {
        const target = event.target;
        return target.closest(".term") ?? target.closest(selector);
      };
      const show = (event) => {
        const element2 = found(event);
        if (!this.pinned && element2 && area.contains(element2)) this.light(element2);
      };
      const hide = () => {
        if (!this.pinned) this.clear();
      };
      const { signal } = this;
      area.addEventListener("pointerover", show, { signal });
      area.addEventListener("pointerout", hide, { signal });
      area.addEventListener("focusin", show, { signal });
      area.addEventListener("focusout", hide, { signal });
      area.addEventListener("click", (event) => {
        if (!event.target.closest(CONTROLS)) this.pin(found(event));
      }, { signal });
      area.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && event.target === found(event)) this.pin(found(event));
      }, { signal });
    }
    /** Keeps the light on what was tapped until it, or something else, is tapped. */
    pin(element2) {
      const same = element2 === this.pinned;
      this.clear();
      if (!element2 || same) return;
      this.light(element2);
      this.pinned = element2;
    }
    /** Lights what belongs to an element of the text or the picture, in place of what was lit. */
    light(element2) {
      this.clear();
      if (this.picture.contains(element2)) this.lightTexts(element2);
      else this.lightShapes(element2);
    }
    /** From the picture: its own kind in every view, and every quantity that belongs to it. */
    lightTexts(element2) {
      const ref = refOf(element2);
      const shapes = this.shapes.filter((s) => lights(ref, refOf(s)));
      const texts = [...this.texts].flatMap(([part, e]) => lights(ref, part) ? e : []);
      this.mark(shapes, texts);
      this.status.textContent = this.words.say("lit", {
        part: this.words.name(ref),
        count: texts.length
      });
    }
    /** From the text: the parts of all that it names, and the same single quantities elsewhere. */
    lightShapes(element2) {
      const parts = partsIn(element2);
      const single = !element2.matches("li, tr");
      const texts = single ? [...parts].flatMap((part) => this.texts.get(part) ?? []) : [];
      const leaves = texts.filter((e) => !e.matches("li, tr"));
      this.mark(this.shapes.filter((s) => parts.has(refOf(s))), [element2, ...leaves]);
      this.status.textContent = [...parts].map((part) => this.words.name(part)).join(", ");
      this.onParts(parts.size ? parts : null);
    }
    mark(shapes, texts) {
      this.lit = [...shapes, ...texts];
      for (const element2 of this.lit) element2.classList.add("lit");
      this.picture.classList.toggle("has-lit", shapes.length > 0);
      this.onLit(texts);
    }
    clear() {
      for (const element2 of this.lit) element2.classList.remove("lit");
      this.lit = [];
      this.pinned = null;
      this.picture.classList.remove("has-lit");
      this.status.textContent = "";
      this.onLit([]);
      this.onParts(null);
    }
  };

  // src/steps.ts
  var NO_STEPPING = "input, select, textarea, [contenteditable], .picture svg *";
  var Steps = class {
    constructor(data, words, picture, signal, addressed = true) {
      this.data = data;
      this.words = words;
      this.picture = picture;
      this.addressed = addressed;
      this.sections = [...document.querySelectorAll("section.step")];
      this.links = [...document.querySelectorAll(".contents a")];
      byId("back").addEventListener("click", () => this.go(this.now - 1), { signal });
      byId("forward").addEventListener("click", () => this.go(this.now + 1), { signal });
      byId("all").addEventListener("click", () => this.openAll(!this.open), { signal });
      this.links.forEach((link, k) => {
        link.addEventListener("click", (event) => {
          event.preventDefault();
          this.go(k, true);
        });
      });
      document.addEventListener("keydown", (event) => this.key(event), { signal });
      this.open = document.documentElement.classList.contains("all");
      this.watch(signal);
      if (!addressed) return;
      window.addEventListener("hashchange", () => this.fromAddress(), { signal });
      this.fromAddress();
    }
    data;
    words;
    picture;
    addressed;
    sections;
    links;
    now = 0;
    open = false;
    /** The first and the last step that may be shown, and what says why. */
    first = 0;
    limit = Infinity;
    onLimit = () => void 0;
    /** Called with the step that is shown. */
    onStep = () => void 0;
    key(event) {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const target = event.target;
      if (!step || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
      if (target.closest(NO_STEPPING) || scrollsSideways(target)) return;
      event.preventDefault();
      this.go(this.now + step);
    }
    fromAddress() {
      const k = this.sections.findIndex((s) => `#${s.id}` === location.hash);
      this.go(Math.max(k, 0), false, k >= 0);
    }
    /** Shows step k; with `focus`, reading goes on there. */
    go(k, focus = false, scroll = true) {
      const to = Math.min(Math.max(k, this.first), this.sections.length - 1);
      if (to > this.limit) {
        this.onLimit();
        return;
      }
      this.set(to);
      const section = this.sections[to];
      if (!section) return;
      if (scroll && this.addressed) history.replaceState(null, "", `#${section.id}`);
      if (scroll) bringIntoSight(this.open ? section : byId("story"), this.open);
      if (focus) section.focus({ preventScroll: true });
    }
    set(k) {
      this.now = k;
      this.sections.forEach((section2, j) => section2.classList.toggle("current", j === k));
      for (const chapter of document.querySelectorAll(".chapter")) {
        chapter.classList.toggle("now", chapter.querySelector("section.current") !== null);
      }
      this.links.forEach((link, j) => {
        if (j === k) link.setAttribute("aria-current", "step");
        else link.removeAttribute("aria-current");
      });
      const values = { k: k + 1, n: this.sections.length };
      byId("position").textContent = this.words.say("position", values);
      disable(byId("back"), k <= this.first);
      disable(byId("forward"), k === this.sections.length - 1);
      const section = this.sections[k];
      const whole = !section || section.matches(".run");
      const parts = whole ? /* @__PURE__ */ new Set() : partsIn(section);
      this.picture.show(this.data.views[k] ?? "whole", parts);
      if (section) this.onStep(section);
    }
    openAll(open) {
      this.open = open;
      document.documentElement.classList.toggle("all", open);
      byId("all").setAttribute("aria-pressed", String(open));
      if (open) this.sections[this.now]?.scrollIntoView({ block: "start" });
    }
    /** With every step open, the step that is being read is the one near the top. */
    watch(signal) {
      const seen = new IntersectionObserver(
        (entries) => {
          const top = entries.find((e) => e.isIntersecting)?.target;
          if (this.open && top) this.set(this.sections.indexOf(top));
        },
        { rootMargin: "-35% 0px -60% 0px" }
      );
      for (const section of this.sections) seen.observe(section);
      signal.addEventListener("abort", () => seen.disconnect());
    }
    get current() {
      return this.now;
    }
    /** Marks the steps that hold something lit. */
    mark(lit) {
      const held = new Set(lit.map((e) => e.closest("section.step")));
      this.links.forEach((link, k) => {
        link.classList.toggle("lit", held.has(this.sections[k] ?? null));
      });
    }
    /** Steps beyond the limit cannot be gone to, and do not show when all are open. */
    setLimit(limit) {
      this.limit = limit;
      this.first = limit < Infinity && this.sections[0]?.matches(".run") ? 1 : 0;
      const barred = (k) => k > limit || k < this.first;
      this.sections.forEach((s, k) => s.classList.toggle("later", barred(k)));
      for (const chapter of document.querySelectorAll(".chapter")) {
        chapter.classList.toggle("later", !chapter.querySelector("section.step:not(.later)"));
      }
      this.links.forEach((link, k) => {
        if (barred(k)) link.setAttribute("aria-disabled", "true");
        else link.removeAttribute("aria-disabled");
      });
      this.go(Math.min(this.now, limit), false, barred(this.now));
    }
  };
  function byId(id) {
    const found = document.getElementById(id);
    if (!found) throw new Error(`no #${id}`);
    return found;
  }
  function bringIntoSight(element2, always) {
    const margin = parseFloat(getComputedStyle(element2).scrollMarginTop);
    const top = element2.getBoundingClientRect().top;
    if (always || top < margin || top > Math.max(margin, innerHeight / 2)) {
      element2.scrollIntoView({ block: "start" });
    }
  }
  function disable(button2, off) {
    button2.setAttribute("aria-disabled", String(off));
  }
  function scrollsSideways(element2) {
    const box = element2.closest(".calculation, .maths, .scroll");
    return box !== null && box.scrollWidth > box.clientWidth + 1;
  }

  // src/guess.ts
  var SIGNS = [
    ["positive", "+"],
    ["negative", "−"],
    ["zero", "0"]
  ];
  var Guess = class {
    constructor(words, steps, picture, signal) {
      this.words = words;
      this.steps = steps;
      this.picture = picture;
      this.questions = [...document.querySelectorAll(".calculation")];
      for (const q of this.questions) q.dataset["label"] = label(q);
      this.intro = document.querySelector(".guess-intro");
      byId("guess").addEventListener("click", () => this.toggle(), { signal });
      steps.onLimit = () => this.remind();
    }
    words;
    steps;
    picture;
    on = false;
    questions;
    answered = 0;
    right = 0;
    asked = 0;
    form = null;
    intro;
    get asking() {
      return this.on;
    }
    toggle() {
      this.on = !this.on;
      this.answered = this.right = this.asked = 0;
      byId("guess").setAttribute("aria-pressed", String(this.on));
      document.documentElement.classList.toggle("guess", this.on);
      this.intro.hidden = !this.on;
      this.intro.textContent = this.on ? this.words.say("guess_intro") : "";
      for (const answer of document.querySelectorAll(".answer")) answer.remove();
      this.next(false);
    }
    /** Hides the result of every question from the first unanswered one on, and all after it. */
    next(focus) {
      this.form?.remove();
      this.form = null;
      const question = this.on ? this.questions[this.answered] : void 0;
      this.questions.forEach((q, k) => conceal(q, this.on && k >= this.answered));
      for (const e of document.querySelectorAll("#story .later")) {
        e.classList.remove("later");
      }
      this.picture.conceal(question !== void 0);
      if (!question) {
        this.steps.setLimit(Infinity);
        return;
      }
      hideAfter(question);
      this.steps.setLimit(this.stepOf(question));
      this.ask(question, focus);
    }
    stepOf(question) {
      return this.steps.sections.findIndex((s) => s.contains(question));
    }
    ask(question, focus) {
      const legend = element("legend", this.words.say("guess_sign", this.subject(question)));
      const signs = element("fieldset");
      signs.append(legend);
      for (const [sign, mark2] of SIGNS) {
        const caption = `${mark2} ${this.words.say(`guess_${sign}`)}`;
        const choice = button(caption, () => this.answerSign(question, sign));
        choice.dataset["sign"] = sign;
        signs.append(choice);
      }
      this.form = element("div");
      this.form.className = "guess-form";
      this.form.append(signs, this.helpers(question));
      question.append(this.form);
      if (focus) signs.querySelector("button")?.focus();
    }
    helpers(question) {
      const row = element("p");
      const show = button(this.words.say("guess_show"), () => this.reveal(question, "shown"));
      const rest = button(this.words.say("guess_show_step"), () => this.showStep(question));
      row.className = "helpers";
      row.append(show, " ", rest);
      return row;
    }
    answerSign(question, guess) {
      const real = signOf(question.dataset["result"] ?? "");
      const sign = this.words.say(`guess_${real}`);
      const said = this.words.say(guess === real ? "guess_sign_right" : "guess_sign_wrong", { sign });
      this.asked += 1;
      this.right += Number(guess === real);
      if (real === "zero") {
        this.reveal(question, guess === real ? "right" : "wrong");
        return;
      }
      this.askNumber(question, `${said} ${this.words.say("guess_number")}`);
    }
    askNumber(question, said) {
      const form = element("form");
      const caption = element("label", said);
      const field = element("input");
      const problem = element("p");
      problem.setAttribute("role", "status");
      field.id = "guess-number";
      field.autocomplete = "off";
      field.setAttribute("inputmode", "text");
      caption.setAttribute("for", field.id);
      form.noValidate = true;
      form.append(caption, " ", field, " ", submit(this.words.say("guess_check")), problem);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const verdict = judge(question.dataset["result"] ?? "", field.value);
        if (verdict) this.reveal(question, verdict);
        else problem.textContent = this.words.say("guess_no_number");
      });
      this.form?.querySelector("fieldset")?.replaceWith(form);
      field.focus();
    }
    reveal(question, verdict) {
      if (verdict !== "shown") {
        this.asked += 1;
        this.right += Number(verdict === "right");
      }
      const value = (question.dataset["result"] ?? "").replace("-", "−");
      const answer = element("p", this.words.say(`guess_${verdict}`, { value }));
      answer.className = `answer ${verdict}`;
      question.append(answer);
      this.answered += 1;
      const score = this.words.say("guess_score", { right: this.right, asked: this.asked });
      this.intro.textContent = `${answer.textContent} ${score}`;
      this.next(true);
    }
    showStep(question) {
      const step = this.stepOf(question);
      while (this.answered < this.questions.length) {
        const next = this.questions[this.answered];
        if (!next || this.stepOf(next) !== step) break;
        this.answered += 1;
      }
      this.next(false);
      byId("forward").focus();
    }
    remind() {
      const question = this.questions[this.answered];
      if (!question) return;
      this.intro.textContent = this.words.say("guess_first_this", this.subject(question));
      this.steps.go(this.stepOf(question));
      this.form?.querySelector("button, input")?.focus();
    }
    subject(question) {
      return { symbol: question.dataset["ref"] ?? "" };
    }
  };
  function label(question) {
    return question.querySelector(".flow")?.getAttribute("aria-label") ?? "";
  }
  function conceal(question, hidden) {
    const whole = question.dataset["label"] ?? "";
    const said = hidden ? whole.slice(0, Number(question.dataset["cut"])) : whole;
    question.classList.toggle("asking", hidden);
    question.querySelector(".flow")?.setAttribute("aria-label", said);
  }
  function hideAfter(question) {
    let at = question;
    while (!at.matches("section.step")) {
      for (let e = at.nextElementSibling; e; e = e.nextElementSibling) e.classList.add("later");
      at = at.parentElement;
    }
  }
  function element(tag, text = "") {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  }
  function button(text, act) {
    const made = element("button", text);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  }
  function submit(text) {
    const made = element("button", text);
    made.type = "submit";
    return made;
  }

  // src/zoom.ts
  var STEP = 1.5;
  var MOST = 12;
  var STILL = 5;
  var TYPING = "input, select, textarea, [contenteditable]";
  var Zoom = class {
    constructor(frame, onChange, signal) {
      this.frame = frame;
      this.onChange = onChange;
      byId("closer").addEventListener("click", () => this.by(STEP), { signal });
      byId("farther").addEventListener("click", () => this.by(1 / STEP), { signal });
      document.addEventListener("keydown", (event) => this.key(event), { signal });
      frame.addEventListener("pointerdown", (event) => this.drag(event), { signal });
      const still = (event) => {
        if (this.dragged) event.stopPropagation();
      };
      frame.addEventListener("click", still, { capture: true, signal });
    }
    frame;
    onChange;
    factor = 1;
    centre = null;
    dragged = false;
    /** Pixels of the screen to a unit of the picture, as last aimed. */
    scale = 1;
    get on() {
      return this.factor > 1;
    }
    get depth() {
      return { factor: this.factor, centre: this.centre };
    }
    go({ factor, centre }) {
      this.factor = factor;
      this.centre = centre;
      this.mark();
    }
    reset() {
      this.go({ factor: 1, centre: null });
    }
    /** Brings the middle of a part to the middle, once one has gone closer. */
    centreOn(box) {
      if (!this.on || this.dragged) return;
      this.centre = middle(box);
      this.onChange();
    }
    /**
     * The transform that brings `part` of `all` to the middle, as large as `room` takes. Unlike a new
     * viewBox it leaves the layout of the picture as it is, so that a step stays within a frame.
     */
    transform(all, part, room) {
      const scale = fit(all, room);
      if (!scale) return "";
      this.scale = fit(part, room) * this.factor;
      const at = this.on ? within(this.centre ?? middle(part), all) : middle(part);
      if (this.on) this.centre = at;
      const x = (all.x + all.width / 2 - at.x) * scale;
      const y = (all.y + all.height / 2 - at.y) * scale;
      return `scale(${this.scale / scale}) translate(${x}px, ${y}px)`;
    }
    by(factor) {
      this.factor = Math.min(Math.max(this.factor * factor, 1), MOST);
      if (this.factor < 1.01) this.reset();
      this.mark();
      this.onChange();
    }
    mark() {
      this.frame.classList.toggle("zoomed", this.on);
      byId("farther").setAttribute("aria-disabled", String(!this.on));
      byId("closer").setAttribute("aria-disabled", String(this.factor >= MOST));
    }
    key(event) {
      const factor = { "+": STEP, "=": STEP, "-": 1 / STEP, "−": 1 / STEP }[event.key];
      if (!factor || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.target.closest(TYPING)) return;
      event.preventDefault();
      this.by(factor);
    }
    drag(down) {
      this.dragged = false;
      const from = this.centre;
      if (!this.on || !from || down.button !== 0) return;
      const move = (event) => {
        const [x, y] = [event.clientX - down.clientX, event.clientY - down.clientY];
        if (Math.hypot(x, y) > STILL) this.dragged = true;
        if (!this.dragged) return;
        this.centre = { x: from.x - x / this.scale, y: from.y - y / this.scale };
        this.onChange();
      };
      const end = () => window.removeEventListener("pointermove", move);
      window.addEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) {
        window.addEventListener(name, end, { once: true });
      }
    }
  };
  function fit(box, room) {
    return Math.min(room.width / box.width, room.height / box.height);
  }
  function middle(box) {
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  }
  function within({ x, y }, box) {
    const clamp = (v, low, size) => Math.min(Math.max(v, low), low + size);
    return { x: clamp(x, box.x, box.width), y: clamp(y, box.y, box.height) };
  }

  // src/picture.ts
  var MARGIN = 22;
  var SMALL = 560;
  var LEGIBLE = 0.5;
  var MOVES = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
  var PRINT = matchMedia("print");
  var Picture = class {
    constructor(section, words, signal) {
      this.section = section;
      this.words = words;
      const frame = section.querySelector(".frame");
      this.zoom = new Zoom(frame, () => this.aim(), signal);
      this.views = [...section.querySelectorAll(".view")];
      for (const svg of section.querySelectorAll(".view > svg")) {
        const { x, y, width, height } = svg.viewBox.baseVal;
        this.whole.set(svg, { x, y, width, height });
        svg.setAttribute("role", "group");
        svg.removeAttribute("width");
        svg.removeAttribute("height");
        this.makeFocusable(svg);
      }
      const sizes = new ResizeObserver((entries) => {
        for (const { target, contentRect } of entries) {
          if (contentRect.width && this.inSight() === target) this.room = contentRect;
        }
        this.aim();
      });
      for (const svg of this.whole.keys()) sizes.observe(svg);
      signal.addEventListener("abort", () => sizes.disconnect());
      PRINT.addEventListener("change", () => this.aim(), { signal });
      window.addEventListener("beforeprint", () => this.aim(true), { signal });
      window.addEventListener("afterprint", () => this.aim(), { signal });
    }
    section;
    words;
    views;
    whole = /* @__PURE__ */ new Map();
    placed = /* @__PURE__ */ new Map();
    close = true;
    parts = /* @__PURE__ */ new Set();
    near = null;
    /** The width and height that the view in sight has, in pixels. */
    room = { width: 0, height: 0 };
    zoom;
    /** What each title and description says when nothing is concealed. */
    told = /* @__PURE__ */ new Map();
    /** Shows the view of a step, and of it what the step is about. */
    show(view, parts) {
      const known = this.views.some((v) => v.dataset["view"] === view);
      const wanted = known ? view : this.views[0]?.dataset["view"];
      for (const v of this.views) v.hidden = v.dataset["view"] !== wanted;
      this.parts = parts;
      this.near = null;
      this.zoom.reset();
      this.aim();
    }
    get look() {
      return { close: this.close, parts: this.parts, room: this.room, depth: this.zoom.depth };
    }
    /** Takes up what was in sight of the picture that this one follows. */
    resume({ close, parts, room, depth }) {
      [this.parts, this.room] = [parts, room];
      if (close !== this.close) this.toggleWhole();
      this.zoom.go(depth);
      this.aim();
    }
    /** Where the picture is too small to read, it goes close to what the text lights; null back. */
    approach(parts) {
      const before = this.near;
      const small = this.section.clientWidth < SMALL || !this.legible();
      this.near = small && !this.zoom.on ? parts : null;
      if (this.near !== before) this.aim();
    }
    /** Whether the text of what the step is about can be read as it stands. */
    legible() {
      const svg = this.inSight();
      const part = svg && this.around(svg, this.parts);
      return !part || fit(part, this.room) >= LEGIBLE;
    }
    /** All of the picture, or what the step is about. Returns whether it is all of it. */
    toggleWhole() {
      this.close = !this.close;
      this.section.classList.toggle("whole", !this.close);
      this.zoom.reset();
      this.aim();
      return !this.close;
    }
    /** Paper has room for all of every view. */
    aim(print = PRINT.matches) {
      if (print) {
        for (const svg2 of this.whole.keys()) svg2.style.transform = "";
        return;
      }
      const svg = this.inSight();
      const all = svg && this.whole.get(svg);
      if (!svg || !all) return;
      const part = this.close && this.around(svg, this.near ?? this.parts) || all;
      const plain = !this.close && !this.zoom.on;
      svg.style.transform = plain ? "" : this.zoom.transform(all, part, this.room);
    }
    inSight() {
      return this.views.find((v) => !v.hidden)?.querySelector("svg") ?? null;
    }
    /** The box around the step's parts, their neurons and inputs; around all where it has none. */
    around(svg, wanted) {
      const every = this.boxesOf(svg);
      const parts = [...wanted];
      const own = every.filter(
        ({ ref }) => parts.some((part) => lights(ref, part) || inputOf(part) === ref)
      );
      const boxes = (own.length ? own : every).map(({ box }) => box);
      if (!boxes.length) return null;
      const x = Math.min(...boxes.map((b) => b.x)) - MARGIN;
      const y = Math.min(...boxes.map((b) => b.y)) - MARGIN;
      const right = Math.max(...boxes.map((b) => b.x + b.width)) + MARGIN;
      const bottom = Math.max(...boxes.map((b) => b.y + b.height)) + MARGIN;
      return { x, y, width: right - x, height: bottom - y };
    }
    /** Where everything lies, asked once: each time would have the whole page laid out first. */
    boxesOf(svg) {
      let found = this.placed.get(svg);
      if (!found) {
        const every = svg.querySelectorAll("[data-ref], .constant, .strip");
        found = [...every].map((e) => ({ ref: e.getAttribute("data-ref") ?? "", box: e.getBBox() }));
        this.placed.set(svg, found);
      }
      return found;
    }
    /** One stop of the Tab key a view; the arrow keys go from part to part. */
    makeFocusable(svg) {
      const parts = [...svg.querySelectorAll("[data-ref]")];
      parts.forEach((part, k) => {
        part.setAttribute("tabindex", k === 0 ? "0" : "-1");
        part.setAttribute("role", "img");
        const name = part.querySelector("title")?.textContent ?? part.dataset["ref"] ?? "";
        part.setAttribute("aria-label", name);
        if (part.classList.contains("edge")) widen(part);
      });
      svg.addEventListener("focusin", (event) => {
        const part = event.target.closest("[data-ref]");
        if (part) this.zoom.centreOn(part.getBBox());
      });
      svg.addEventListener("keydown", (event) => {
        const now = parts.indexOf(event.target);
        const step = MOVES[event.key];
        if (now < 0 || step === void 0) return;
        event.preventDefault();
        const next = parts[(now + step + parts.length) % parts.length];
        parts[now]?.setAttribute("tabindex", "-1");
        next?.setAttribute("tabindex", "0");
        next?.focus();
      });
    }
    /** While values are guessed the picture gives none away, not by words that are only read out. */
    conceal(hidden) {
      this.section.classList.toggle("guessing", hidden);
      for (const words of this.section.querySelectorAll("svg title, svg desc")) {
        const part = words.parentElement;
        if (!this.told.has(words)) this.told.set(words, words.textContent ?? "");
        const ref = part.getAttribute("data-ref");
        const plain = ref === null ? this.words.say("picture") : this.words.name(ref);
        words.textContent = hidden ? plain : this.told.get(words) ?? "";
        if (ref !== null) part.setAttribute("aria-label", words.textContent);
      }
    }
  };
  function widen(edge) {
    const line = edge.querySelector("path")?.cloneNode();
    line?.setAttribute("class", "hit");
    if (line) edge.append(line);
  }

  // src/words.ts
  function read(id) {
    const found = document.getElementById(id);
    return found ? JSON.parse(found.textContent ?? "null") : null;
  }
  function fill(text, values = {}) {
    return text.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
  }
  var Words = class {
    constructor(texts, names = {}) {
      this.texts = texts;
      this.names = names;
    }
    texts;
    names;
    /** A part of the picture by its own name, or by its symbol. */
    name(part) {
      return this.names[part] ?? part;
    }
    say(key, values = {}) {
      return fill(this.texts[key] ?? key, values);
    }
  };

  // src/run.ts
  function startRun() {
    const run = read("run-data");
    const slider = document.querySelector("#time");
    if (!run || !slider) return;
    const cells = [...document.querySelectorAll(".run [data-cell]")];
    const first = run.steps[0]?.number ?? 0;
    const last = run.steps.at(-1)?.number ?? 0;
    const show = () => {
      const step = run.steps[Number(slider.value)];
      if (!step) return;
      const said = fill(run.said, { number: step.number });
      slider.setAttribute("aria-valuetext", said);
      for (const output of document.querySelectorAll(".run .when")) output.textContent = said;
      cells.forEach((cell, k) => cell.textContent = step.cells[k] ?? "");
      for (const plot of document.querySelectorAll(".run svg.plot")) {
        moveMarker(plot, (step.number - first) / Math.max(last - first, 1));
      }
    };
    slider.addEventListener("input", show);
    show();
  }
  function moveMarker(plot, share) {
    const left = Number(plot.dataset["left"]);
    const right = Number(plot.dataset["right"]);
    const x = String(left + share * (right - left));
    const marker = plot.querySelector(".now");
    marker?.setAttribute("x1", x);
    marker?.setAttribute("x2", x);
  }

  // src/main.ts
  function start() {
    const data = read("page-data");
    const section = document.querySelector(".picture");
    const lit = document.querySelector(".picture .status");
    if (!data || !section || !lit) return;
    document.documentElement.classList.add("js");
    for (const e of document.querySelectorAll(".needs-script")) e.hidden = false;
    const words = new Words(data.words, data.names);
    const { signal } = new AbortController();
    const picture = new Picture(section, words, signal);
    const steps = new Steps(data, words, picture, signal);
    new Links(
      byId("story"),
      section,
      lit,
      words,
      (texts) => steps.mark(texts),
      (parts) => picture.approach(parts),
      signal
    );
    new Guess(words, steps, picture, signal);
    byId("zoom").addEventListener("click", () => {
      byId("zoom").setAttribute("aria-pressed", String(picture.toggleWhole()));
    });
    startRun();
    startCuts(signal);
  }
  start();
})();
