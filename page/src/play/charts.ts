/** The loss curve, blame over time, and the decision boundary, drawn on canvases. */

export interface Point {
  step: number;
  loss: number;
  /** The loss as text. */
  said: string;
  pressure: number[];
}

const KINDS = ["--s0", "--s1", "--s2", "--s3", "--s4", "--s5"];
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [12, 4], [4, 2]];
const DARK = matchMedia("(prefers-color-scheme: dark)");
const MOST = 4000; // points kept of a curve

function room(canvas: HTMLCanvasElement): [CanvasRenderingContext2D, number, number] | null {
  const context = canvas.getContext("2d");
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!context || !width || !height) return null;
  const dense = window.devicePixelRatio || 1;
  const size = [Math.round(width * dense), Math.round(height * dense)] as const;
  if (canvas.width !== size[0] || canvas.height !== size[1]) {
    canvas.width = size[0];
    canvas.height = size[1];
  }
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Curves over the steps, on a logarithmic scale from the least positive value to the largest. */
export class Curves {
  points: Point[] = [];

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly of: (point: Point) => number[],
  ) {
    new ResizeObserver(() => this.draw()).observe(canvas);
    DARK.addEventListener("change", () => this.draw());
  }

  add(points: readonly Point[]): void {
    this.points.push(...points);
    if (this.points.length > MOST) this.points = this.points.filter((_, k) => k % 2 === 0);
  }

  /** Leaves out what comes after a step: it was undone. */
  until(step: number): void {
    if ((this.points.at(-1)?.step ?? 0) <= step) return;
    this.points = this.points.filter((p) => p.step <= step);
    this.draw();
  }

  draw(): void {
    const found = room(this.canvas);
    if (!found) return;
    const [context, width, height] = found;
    context.strokeStyle = colour("--line");
    context.strokeRect(0.5, 0.5, width - 1, height - 1);
    const rows = this.points.map((p) => this.of(p));
    const values = rows.flat().filter((v) => v > 0 && Number.isFinite(v));
    if (!values.length) return;
    const high = Math.log(values.reduce((a, b) => Math.max(a, b)));
    const low = Math.min(Math.log(values.reduce((a, b) => Math.min(a, b))), high - 0.1);
    const first = this.points[0]?.step ?? 0;
    const last = Math.max(this.points.at(-1)?.step ?? 1, first + 1);
    const x = (step: number): number => 4 + ((width - 8) * (step - first)) / (last - first);
    const y = (value: number): number =>
      height - 4 - ((height - 8) * (Math.log(Math.max(value, Math.exp(low))) - low)) / (high - low);
    (rows[0] ?? []).forEach((_, k) => {
      context.beginPath();
      this.points.forEach((p, i) => context.lineTo(x(p.step), y(rows[i]?.[k] ?? 0)));
      context.strokeStyle = colour(KINDS[k % KINDS.length] ?? "--ink");
      context.setLineDash(DASHES[k % DASHES.length] ?? []);
      context.lineWidth = 2;
      context.stroke();
    });
    context.setLineDash([]);
  }
}

/** How the line of a layer is drawn, as a piece of it. */
export function sample(k: number): SVGSVGElement {
  const [svg, line] = [made("svg"), made("line")];
  const at = { x2: "26", y1: "6", y2: "6", "stroke-dasharray": (DASHES[k % DASHES.length] ?? []).join(" ") };
  for (const [name, value] of Object.entries(at)) line.setAttribute(name, value);
  svg.setAttribute("aria-hidden", "true");
  svg.style.stroke = `var(${KINDS[k % KINDS.length] ?? "--ink"})`;
  svg.append(line);
  return svg as SVGSVGElement;
}

function made(name: string): SVGElement {
  return document.createElementNS("http://www.w3.org/2000/svg", name);
}

export interface Boundary {
  values: number[];
  size: number;
  low: [number, number];
  high: [number, number];
  points: [number, number, number][];
}

/** The first output over the plane of both inputs, and the examples on it. */
export function drawBoundary(canvas: HTMLCanvasElement, plane: Boundary): void {
  const found = room(canvas);
  if (!found) return;
  const [context, width, height] = found;
  const { low, high } = plane;
  const targets = plane.points.map((p) => p[2]);
  const least = Math.min(0, ...targets);
  const most = Math.max(1, ...targets);
  const share = (v: number): number => Math.min(Math.max((v - least) / (most - least), 0), 1);
  const [down, up] = [rgb(colour("--s1")), rgb(colour("--s0"))];
  const mixed = (v: number): number[] => {
    const t = share(v);
    return down.map((d, k) => Math.round(d + ((up[k] ?? 0) - d) * t));
  };
  context.globalAlpha = 0.45;
  context.drawImage(pixels(plane, mixed), 0, 0, width, height);
  context.globalAlpha = 1;
  drawMiddle(context, plane, (least + most) / 2);
  for (const [a, b, target] of plane.points) {
    const x = ((a - low[0]) / (high[0] - low[0])) * width;
    const y = height - ((b - low[1]) / (high[1] - low[1])) * height;
    context.beginPath();
    // the shape says the target too: a disc above the middle, a square below
    if (share(target) >= 0.5) context.arc(x, y, 4.5, 0, 2 * Math.PI);
    else context.rect(x - 4, y - 4, 8, 8);
    context.fillStyle = `rgb(${mixed(target).join(" ")})`;
    context.fill();
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.2;
    context.stroke();
  }
}

/** The boundary itself: through each square of four neighbours, from where one of its sides
 * crosses the middle to where another does. */
function drawMiddle(context: CanvasRenderingContext2D, plane: Boundary, middle: number): void {
  const { size, values } = plane;
  const { clientWidth: wide, clientHeight: high } = context.canvas;
  const corners = [[0, 0], [1, 0], [1, 1], [0, 1]] as const;
  context.beginPath();
  for (let k = 0; k + size + 1 < values.length; k += 1) {
    const [column, row] = [k % size, Math.floor(k / size)];
    if (column + 1 === size) continue;
    const square = corners.map(([i, j]) => {
      const over = (values[k + i + j * size] ?? 0) - middle;
      return { x: column + i + 0.5, y: size - row - j - 0.5, over };
    });
    let pen = 0;
    square.forEach((a, side) => {
      const b = square[(side + 1) % 4];
      if (!b || a.over > 0 === b.over > 0) return;
      const t = a.over / (a.over - b.over);
      const [x, y] = [a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)];
      if (pen % 2) context.lineTo((x / size) * wide, (y / size) * high);
      else context.moveTo((x / size) * wide, (y / size) * high);
      pen += 1;
    });
  }
  context.strokeStyle = colour("--ink");
  context.lineWidth = 2;
  context.stroke();
}

/** One pixel a value; the first row of values is the lowest. */
function pixels({ size, values }: Boundary, mixed: (v: number) => number[]): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = size;
  canvas.height = size;
  const image = new ImageData(size, size);
  values.forEach((value, k) => {
    const at = 4 * ((size - 1 - Math.floor(k / size)) * size + (k % size));
    image.data.set([...mixed(value), 255], at);
  });
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}

function rgb(hex: string): [number, number, number] {
  const n = Number.parseInt(hex.slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}
