/** Fields of what was picked in the picture: an edge, a bias, a neuron, an input, the loss. */

import type { Words } from "../words";
import { at, trains, type Path } from "./places";
import type { Layer, Store } from "./store";
import { named } from "./store";
import { button, choice, field, make, nameIn } from "./ui";

export type Edit = Record<string, unknown> & { kind: string };

export interface Choices {
  activations: Record<string, Record<string, unknown>>;
  losses: Record<string, Record<string, unknown>>;
  optimizers: Record<string, Record<string, unknown>>;
  datasets: string[];
  examples: string[];
  measures: string[];
  views: string[];
  page_words: Record<string, string>;
}

type Apply = (edit: Edit, merge?: string | null) => void;

const REACH = 3; // a slider goes this far to both sides of 0, or as far as the value is

/** Where a slider stands for what was typed, which may be a fraction. */
function sizeOf(typed: unknown): number {
  const [, over = "", under = "1"] = /^([^/]*)\/?(.*)$/.exec(String(typed)) ?? [];
  return Number(over) / Number(under || "1");
}

export class Inspector {
  private drawn = "";

  constructor(
    private readonly root: HTMLElement,
    private readonly store: Store,
    private readonly words: Words,
    private readonly choices: Choices,
    private readonly apply: Apply,
    private readonly onPick: (ref: string) => void,
    private picked: string,
    /** What a part of the picture is called. */
    private readonly called: (ref: string) => string,
  ) {}

  get shown(): string {
    return this.picked;
  }

  /** In a picture that was drawn anew what was picked is marked again. */
  remark(): void {
    if (this.picked !== "C") this.onPick(this.picked);
  }

  pick(ref: string, focus = false): void {
    this.picked = ref;
    this.draw();
    this.onPick(ref);
    if (focus) this.root.querySelector<HTMLElement>("input, select, button")?.focus();
  }

  /** Draws the fields; the focus, and unless `anew` what is being typed, stay where they are. */
  draw(anew = false): void {
    const active = document.activeElement;
    const row = this.root.contains(active) ? active?.closest<HTMLElement>("[data-path]") : null;
    const kind = active instanceof HTMLInputElement ? active.type : "";
    const shape = this.shape();
    const same = shape === this.drawn;
    this.drawn = shape;
    if (!anew && row && (kind === "text" || kind === "range")) {
      if (!same) this.around(row);
      this.refresh();
      return;
    }
    const index = this.root.contains(active)
      ? [...this.root.querySelectorAll("input, select, button")].indexOf(active as Element)
      : -1;
    this.root.replaceChildren(...this.fields());
    if (index >= 0) {
      const all = [...this.root.querySelectorAll<HTMLElement>("input, select, button")];
      all[Math.min(index, all.length - 1)]?.focus();
    }
  }

  /** What decides which fields there are, besides numbers. */
  private shape(): string {
    const { network, shown } = this.store.state;
    const layers = network.layers.map(({ weight, activation, trainable }) => [
      weight.length,
      weight[0]?.length,
      activation,
      trainable,
    ]);
    const { loss, optimizer, examples } = network;
    return JSON.stringify([layers, loss, optimizer, examples.length, shown.example, this.picked]);
  }

  /** Draws anew all but the row that somebody types in, if it is still there. */
  private around(row: HTMLElement): void {
    const fields = this.fields();
    const at = fields.findIndex((made) => made.dataset["path"] === row.dataset["path"]);
    if (at < 0) this.root.replaceChildren(...fields);
    else {
      for (const other of [...this.root.children]) if (other !== row) other.remove();
      row.before(...fields.slice(0, at));
      row.after(...fields.slice(at + 1));
    }
  }

  /** Sets the values of the fields that nobody is in. */
  private refresh(): void {
    for (const row of this.root.querySelectorAll<HTMLElement>("[data-path]")) {
      const value = at(this.store.state, JSON.parse(row.dataset["path"] ?? "[]") as Path);
      if (typeof value !== "number" && typeof value !== "string") continue;
      for (const input of row.querySelectorAll("input")) {
        const shown = String(input.type === "range" ? sizeOf(value) : value);
        if (input !== document.activeElement && input.value !== shown) input.value = shown;
      }
    }
  }

  private fields(): HTMLElement[] {
    const net = this.store.state.network;
    const weight = /^W(\d+)\[(\d+)\]\[(\d+)\]$/.exec(this.picked);
    const bias = /^b(\d+)\[(\d+)\]$/.exec(this.picked);
    const neuron = /^n(\d+)\.(\d+)$/.exec(this.picked);
    const input = /^x\[(\d+)\]$/.exec(this.picked);
    const name = this.called(this.picked);
    const head = make("h2", name === this.picked ? name : `${name} · ${this.picked}`);
    if (weight) {
      const [k, i, j] = [Number(weight[1]) - 1, Number(weight[2]), Number(weight[3])];
      if (net.layers[k]?.weight[i]?.[j] === undefined) return this.whole();
      return [head, this.number(["layers", k, "weight", i, j]), this.freeze(k, "weight", [i, j])];
    }
    if (bias) {
      const [k, i] = [Number(bias[1]) - 1, Number(bias[2])];
      const layer = net.layers[k];
      if (!layer) return this.whole();
      const shared = !Array.isArray(layer.bias);
      if (!shared && (layer.bias as number[])[i] === undefined) return this.whole();
      const path: Path = shared ? ["layers", k, "bias"] : ["layers", k, "bias", i];
      return [head, this.number(path), this.freeze(k, "bias", shared ? null : [i])];
    }
    if (neuron) {
      const [k, i] = [Number(neuron[1]) - 1, Number(neuron[2])];
      const layer = net.layers[k];
      if (!layer || !layer.weight[i]) return this.whole();
      return [head, ...this.neuron(layer, k, i)];
    }
    if (input) {
      const j = Number(input[1]);
      const example = this.example();
      if (net.examples[example]?.input[j] === undefined) return this.whole();
      return [
        head,
        this.number(["examples", example, "input", j]),
        this.acts([
          ["add_input", () => this.apply({ kind: "add_input" })],
          ["remove_input", () => this.apply({ kind: "remove_input", input: j })],
        ]),
      ];
    }
    return this.whole();
  }

  private example(): number {
    const shown = this.store.state.shown.example;
    return shown === "sum" ? 0 : shown;
  }

  private neuron(layer: Layer, k: number, i: number): HTMLElement[] {
    const shared = !Array.isArray(layer.bias);
    const found = [this.number(shared ? ["layers", k, "bias"] : ["layers", k, "bias", i], "bias")];
    (layer.weight[i] ?? []).forEach((_, j) => {
      const source = this.called(k === 0 ? `x[${j}]` : `n${k}.${j}`);
      found.push(this.number(["layers", k, "weight", i, j], "weight_from", { source }));
    });
    found.push(...this.activation(layer, k));
    const wide = this.store.state.network.layers.length > 1;
    const acts: [string, () => void][] = [
      ["add_neuron", () => this.apply({ kind: "add_neuron", layer: k })],
      ["remove_neuron", () => this.apply({ kind: "remove_neuron", layer: k, neuron: i })],
      ["add_layer", () => this.apply({ kind: "add_layer", layer: k })],
    ];
    if (wide) acts.push(["remove_layer", () => this.apply({ kind: "remove_layer", layer: k })]);
    found.push(this.freeze(k, "weight", null), this.freeze(k, "bias", null), this.acts(acts));
    return found;
  }

  private activation(layer: Layer, k: number): HTMLElement[] {
    const name = named(layer.activation, "identity");
    const pick = choice(Object.keys(this.choices.activations), name, nameIn(this.words), (to) =>
      this.apply({ kind: "activation", layer: k, name: to }),
    );
    const path: Path = ["layers", k, "activation"];
    const given = typeof layer.activation === "object" ? layer.activation : {};
    return [
      field(this.words.say("activation", { layer: k + 1 }), pick, path),
      ...this.options(path, this.choices.activations[name] ?? {}, given, (options) =>
        this.apply({ kind: "activation", layer: k, name, options }),
      ),
    ];
  }

  /** Numbers and switches that a name has; each change sends all of them. */
  private options(
    path: Path,
    defaults: Record<string, unknown>,
    given: Record<string, unknown>,
    send: (options: Record<string, unknown>) => void,
  ): HTMLElement[] {
    const now: Record<string, unknown> = {};
    for (const key of Object.keys(defaults)) now[key] = given[key] ?? defaults[key];
    return Object.entries(now).map(([key, value]) => {
      const control = make("input");
      if (typeof value === "boolean") {
        control.type = "checkbox";
        control.checked = value;
        control.addEventListener("change", () => send({ ...now, [key]: control.checked }));
      } else {
        control.type = "text";
        control.inputMode = "decimal";
        control.value = Array.isArray(value) ? value.join("; ") : String(value);
        control.addEventListener("change", () => {
          const typed = control.value.split(";").map((t) => t.trim());
          send({ ...now, [key]: Array.isArray(value) ? typed : control.value });
        });
      }
      return field(nameIn(this.words)(key), control, [...path, key]);
    });
  }

  /** The whole network: loss, optimizer, learning rate, the target. */
  private whole(): HTMLElement[] {
    const net = this.store.state.network;
    const say = nameIn(this.words);
    const loss = named(net.loss, "");
    const optimizer = named(net.optimizer, "sgd");
    const found: HTMLElement[] = [make("h2", this.words.say("inspect_whole"))];
    found.push(this.number(["learning_rate"], "learning_rate"));
    const ofLoss = choice(Object.keys(this.choices.losses), loss, say, (name) =>
      this.apply({ kind: "loss", name }),
    );
    found.push(field(this.words.say("loss"), ofLoss, ["loss"]));
    const ofIt: Record<string, unknown> = typeof net.loss === "object" ? net.loss : {};
    const now: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(ofIt)) if (key !== "name") now[key] = value;
    const reduce = choice(["default", "sum", "mean"], String(now["reduction"] ?? "default"), say, (to) => {
      const { reduction: _, ...others } = now;
      const options = to === "default" ? others : { ...others, reduction: to };
      this.apply({ kind: "loss", name: loss, options });
    });
    found.push(field(this.words.say("reduction"), reduce, ["loss", "reduction"]));
    found.push(
      ...this.options(["loss"], this.choices.losses[loss] ?? {}, ofIt, (options) =>
        this.apply({ kind: "loss", name: loss, options: { ...now, ...options } }),
      ),
    );
    const ofOptimizer = choice(Object.keys(this.choices.optimizers), optimizer, say, (name) =>
      this.apply({ kind: "optimizer", name }),
    );
    found.push(field(this.words.say("optimizer"), ofOptimizer, ["optimizer"]));
    const given = typeof net.optimizer === "object" ? net.optimizer : {};
    found.push(
      ...this.options(["optimizer"], this.choices.optimizers[optimizer] ?? {}, given, (options) =>
        this.apply({ kind: "optimizer", name: optimizer, options }),
      ),
    );
    return [...found, ...this.targets()];
  }

  private targets(): HTMLElement[] {
    const net = this.store.state.network;
    const n = this.example();
    const target = net.examples[n]?.target;
    const paths: Path[] = Array.isArray(target)
      ? target.map((_, j) => ["examples", n, "target", j])
      : [["examples", n, "target"]];
    const rows = paths.map((path, j) => this.number(path, "target", { output: j }));
    const acts: [string, () => void][] = [
      ["add_example", () => this.apply({ kind: "add_example" })],
      ["remove_example", () => this.apply({ kind: "remove_example", example: n })],
    ];
    return [...rows, this.acts(acts)];
  }

  /** A number to type, and a slider of it. */
  private number(path: Path, key = "value", values: Record<string, string | number> = {}): HTMLElement {
    const value = sizeOf(at(this.store.state, path));
    const typed = make("input");
    typed.type = "text";
    typed.inputMode = "decimal";
    typed.autocomplete = "off";
    typed.value = String(at(this.store.state, path) ?? "");
    const slider = make("input");
    slider.type = "range";
    const rate = path[0] === "learning_rate";
    const reach = Math.max(rate ? 1 : REACH, Math.ceil(Math.abs(value) * 1.5) || 0);
    slider.min = rate ? "0" : String(-reach);
    slider.max = String(reach);
    slider.step = rate ? "0.005" : "0.01";
    slider.value = String(value);
    const name = JSON.stringify(path);
    slider.setAttribute("aria-label", this.words.say("slider", { part: this.words.say(key, values) }));
    slider.addEventListener("input", () => {
      this.apply({ kind: "set", path, value: Number(slider.value) }, name);
      typed.value = slider.value;
    });
    slider.addEventListener("change", () => this.store.endMerge());
    // Enter sends a "change" of its own; without one there is nothing to say again
    typed.addEventListener("change", () => {
      this.apply({ kind: "set", path, value: typed.value });
    });
    const row = field(this.words.say(key, values), typed, path);
    typed.after(slider);
    return row;
  }

  private freeze(k: number, parameter: "weight" | "bias", index: number[] | null): HTMLElement {
    const layer = this.store.state.network.layers[k];
    const box = make("input");
    box.type = "checkbox";
    box.checked = layer !== undefined && !trains(layer, parameter, index);
    box.addEventListener("change", () => {
      const edit: Edit = { kind: "freeze", layer: k, parameter, trainable: !box.checked };
      this.apply(index ? { ...edit, index } : edit);
    });
    const key = index ? "frozen" : parameter === "weight" ? "freeze_weights" : "freeze_biases";
    return field(this.words.say(key, { layer: k + 1 }), box);
  }

  private acts(acts: [string, () => void][]): HTMLElement {
    const row = make("p", "", "acts");
    for (const [key, act] of acts) row.append(button(this.words.say(key), act));
    return row;
  }
}
