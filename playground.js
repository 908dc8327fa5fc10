// Les pages du bac à sable et de l'ardoise : elles demandent, dessinent, redemandent.
// Aucune bibliothèque ; playground.py répond.

// Okabe et Ito (2008) : des couleurs que les daltoniens distinguent aussi.
const BLUE = [0, 114, 178];
const ORANGE = [230, 159, 0];
const VERMILION = [213, 94, 0];
const css = (color, alpha = 1) => `rgb(${color} / ${alpha})`.replaceAll(",", " ");

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const makeControls = (...children) => make("div", { className: "controls" }, ...children);

/** Un dessin de cette taille, deux fois plus fin que la page. */
function makeCanvas(width, height, description) {
  const canvas = make("canvas", { width: 2 * width, height: 2 * height });
  canvas.style.maxWidth = `${width}px`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", description);
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  context.font = "12px sans-serif";
  return [canvas, context];
}

/** La couleur du texte de la page, claire ou sombre. */
const ink = (context) => getComputedStyle(context.canvas).color;

const decimal = (value, digits = 3) =>
  value.toFixed(digits).replace(".", ",").replace("-", "−");
const percent = (value) => `${decimal(100 * value, 0)}\u00a0%`;

/** Un tableau venu de Python, recopié : son tampon peut commencer n'importe où. */
const array = (Type, buffer) =>
  new Type(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength));

/** Une question à la fois : les autres attendent, et seule la dernière qui ne fait que
 * regarder est gardée. Quand tout est répondu, `next` dit quoi demander encore. */
function makeAsker(model, draw, next = () => null) {
  const isGlance = ({ steps, restart, settings, label }) =>
    !steps && !restart && !settings && label == null;
  const view = Math.random(); // le même widget peut être dans deux cellules
  const queue = [];
  let pending = false;
  const flush = () => {
    if (pending || !queue.length) return;
    pending = true;
    const [question, ...buffers] = queue.shift();
    model.send({ ...question, view }, undefined, buffers);
  };
  const ask = (question, ...buffers) => {
    if (queue.length && isGlance(queue.at(-1)[0])) queue.pop();
    queue.push([question, ...buffers]);
    flush();
  };
  const hear = (answer, buffers) => {
    const isMine = answer.view === view;
    if (isMine) pending = false;
    draw(answer, buffers, isMine);
    flush();
    requestAnimationFrame(() => {
      const question = !pending && next();
      if (question) ask(question);
    });
  };
  model.on("msg:custom", hear);
  return [ask, () => model.off("msg:custom", hear)];
}

/** Les touches sont à nous : JupyterLab regarde d'abord l'élément qui a le focus. */
function keepKeys(el) {
  for (const part of [el, ...el.querySelectorAll("button, select, input, canvas")])
    part.dataset.lmSuppressShortcuts = "true";
}

/** Python a redémarré : rien ne répondra plus, la page doit le dire. */
function warnOfRestart(model, el, stop = () => {}) {
  const warning = make("p", { className: "warning", hidden: true });
  warning.textContent = "Python a redémarré et ne répond plus ici : réexécutez tout le carnet.";
  warning.setAttribute("role", "alert");
  el.prepend(warning);
  model.on("comm_live_update", () => {
    warning.hidden = false;
    stop();
  });
}

// --- Le bac à sable ------------------------------------------------------------------

const CHOICES = {
  data: [
    "Données",
    {
      cercles: "cercles",
      lunes: "lunes",
      xor: "XOR",
      spirales: "spirales",
      nuages: "deux nuages",
    },
  ],
  activation: [
    "Activation",
    { tanh: "tanh", relu: "ReLU", logistic: "sigmoïde", identity: "identité" },
  ],
  solver: ["Descente", { sgd: "simple", momentum: "avec élan", adam: "Adam" }],
  learning_rate_init: ["Taux d’apprentissage", [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]],
  alpha: ["Pénalité L2", [0, 0.01, 0.1, 1, 10]],
  noise: ["Bruit", [0, 0.1, 0.2, 0.3, 0.5, 0.8]],
};
const N_LAYERS = 3;
const MAX_NEURONS = 8;
const SPEEDS = { 1: "lente", 5: "moyenne", 25: "rapide" };

// Du bleu (le neurone dit non) à l'orange (il dit oui), par le blanc (il hésite).
const PALETTE = Array.from({ length: 256 }, (_, level) => {
  const signal = Math.max(-1, (level - 128) / 127);
  return (signal < 0 ? BLUE : ORANGE).map((c) => 255 + (c - 255) * Math.abs(signal));
});

function mapImage(levels, side) {
  const image = new ImageData(side, side);
  levels.forEach((level, i) => image.data.set([...PALETTE[level], 255], 4 * i));
  const canvas = make("canvas", { width: side, height: side });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** Le trait où Z s'annule : dans chaque carré, d'un côté coupé à l'autre. */
function drawFrontier(context, Z, side, size) {
  const at = (i, j) => Z[i * side + j];
  const scale = size / side;
  context.beginPath();
  for (let i = 0; i + 1 < side; i++) {
    for (let j = 0; j + 1 < side; j++) {
      const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]];
      let drawing = false;
      corners.forEach(([i1, j1], k) => {
        const [i2, j2] = corners[(k + 1) % 4];
        const [a, b] = [at(i1, j1), at(i2, j2)];
        if (a < 0 === b < 0) return;
        const t = a / (a - b);
        const x = (j1 + t * (j2 - j1) + 0.5) * scale;
        const y = (i1 + t * (i2 - i1) + 0.5) * scale;
        if (drawing) context.lineTo(x, y);
        else context.moveTo(x, y);
        drawing = !drawing;
      });
    }
  }
  context.stroke();
}

function drawMarker(context, x, y, label, radius) {
  context.beginPath();
  if (label) {
    context.moveTo(x, y - radius * 1.2);
    context.lineTo(x + radius * 1.1, y + radius * 0.8);
    context.lineTo(x - radius * 1.1, y + radius * 0.8);
    context.closePath();
  } else context.arc(x, y, radius, 0, 7);
}

function drawPlane(context, size, levels, Z, side, points, labels, extent) {
  context.clearRect(0, 0, size, size);
  context.globalAlpha = 0.6; // les points doivent ressortir
  context.drawImage(mapImage(levels, side), 0, 0, size, size);
  context.globalAlpha = 1;
  context.strokeStyle = "black";
  context.lineWidth = 2;
  drawFrontier(context, Z, side, size);
  context.lineWidth = 1;
  const place = (value) => ((value / extent + 1) * size) / 2;
  labels.forEach((label, k) => {
    const [x, y] = points.subarray(2 * k, 2 * k + 2);
    const isTrain = k % 2 === 0; // une ligne : un point d'entraînement, un de test
    drawMarker(context, place(x), place(-y), label, isTrain ? 4 : 3);
    context.fillStyle = isTrain ? css(label ? ORANGE : BLUE) : "rgb(255 255 255 / .7)";
    context.strokeStyle = isTrain ? "black" : css(label ? [140, 90, 0] : BLUE);
    context.fill();
    context.stroke();
  });
}

function drawNetwork(context, width, height, weights, maps, side) {
  const sizes = [weights[0].length, ...weights.map((W) => W[0].length)];
  const node = 32;
  const place = (layer, k) => [
    24 + ((width - node - 28) * layer) / (sizes.length - 1),
    height / 2 + (k - (sizes[layer] - 1) / 2) * 40 - node / 2,
  ];
  context.clearRect(0, 0, width, height);
  weights.forEach((W, layer) => {
    const largest = Math.max(...W.flat().map(Math.abs), 1e-9);
    W.forEach((row, i) =>
      row.forEach((w, j) => {
        const [x1, y1] = place(layer, i);
        const [x2, y2] = place(layer + 1, j);
        context.beginPath();
        context.moveTo(x1 + node, y1 + node / 2);
        context.lineTo(x2, y2 + node / 2);
        context.lineWidth = 0.4 + (3.5 * Math.abs(w)) / largest;
        context.strokeStyle = css(w < 0 ? BLUE : ORANGE);
        context.setLineDash(w < 0 ? [5, 3] : []);
        context.stroke();
      }),
    );
  });
  context.setLineDash([]);
  context.lineWidth = 1;
  context.strokeStyle = "#888";
  context.fillStyle = ink(context);
  let start = 0;
  sizes.forEach((size, layer) => {
    for (let k = 0; k < size; k++, start += side * side) {
      const [x, y] = place(layer, k);
      const levels = maps.subarray(start, start + side * side);
      context.drawImage(mapImage(levels, side), x, y, node, node);
      context.strokeRect(x, y, node, node);
      if (layer === 0) context.fillText(["x₁", "x₂"][k], 6, y + node / 2 + 4);
    }
  });
}

function drawCurves(context, width, height, losses) {
  context.clearRect(0, 0, width, height);
  const largest = Math.max(...losses, 0.1);
  const n = losses.length / 2;
  [[BLUE, []], [VERMILION, [5, 3]]].forEach(([color, dash], part) => {
    context.beginPath();
    for (let k = 0; k < n; k++) {
      const x = 2 + ((width - 4) * k) / Math.max(1, n - 1);
      context.lineTo(x, height - 4 - (height - 8) * (losses[2 * k + part] / largest));
    }
    context.strokeStyle = css(color);
    context.setLineDash(dash);
    context.lineWidth = 2;
    context.stroke();
  });
  context.setLineDash([]);
  context.lineWidth = 1;
  context.strokeStyle = "#888";
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  context.fillStyle = ink(context);
  context.fillText("0", 5, height - 5); // là où les courbes ne passent guère
  context.textAlign = "right";
  context.fillText(`perte ${decimal(largest, 2)}`, width - 5, 13);
  context.textAlign = "left";
}

function renderSandbox(model, el) {
  const settings = () => model.get("settings");
  const change = (name, value) => ask({ settings: { [name]: value } });
  const makeSelect = (label, options, onchange) => {
    const select = make("select", { onchange: () => onchange(select.value) });
    select.append(...options.map(([value, text]) => new Option(text, value)));
    return [make("label", {}, label, select), select];
  };

  const shows = []; // de quoi remettre chaque réglage à la valeur du modèle
  const controls = Object.entries(CHOICES).map(([name, [label, choices]]) => {
    const isNumber = Array.isArray(choices);
    const options = isNumber
      ? choices.map((value) => [value, String(value).replace(".", ",")])
      : Object.entries(choices);
    const [box, select] = makeSelect(label, options, (value) =>
      change(name, isNumber ? Number(value) : value),
    );
    shows.push(() => {
      const value = settings()[name];
      if (![...select.options].some((option) => option.value === String(value)))
        select.append(new Option(String(value).replace(".", ","), value));
      select.value = value;
    });
    return box;
  });
  const layers = Array.from({ length: N_LAYERS }, (_, k) => {
    const options = Array.from({ length: MAX_NEURONS + 1 }, (_, n) => [n, n || "aucun"]);
    const [box, select] = makeSelect(`Couche cachée ${k + 1}`, options, () => {
      const sizes = [...layers.map(([, s]) => Number(s.value)), 0];
      // Aucune couche ne reste derrière une couche vide.
      change("hidden_layer_sizes", sizes.slice(0, sizes.indexOf(0)));
    });
    shows.push(() => {
      const sizes = settings().hidden_layer_sizes;
      if (sizes[k] > MAX_NEURONS) select.append(new Option(sizes[k], sizes[k]));
      select.value = sizes[k] ?? 0;
      select.disabled = k > sizes.length;
    });
    return [box, select];
  });
  const seed = make("input", { type: "number", min: 0, max: 9999, step: 1 });
  seed.onchange = () => {
    const value = Math.trunc(seed.valueAsNumber || 0);
    seed.value = Math.min(9999, Math.max(0, value));
    change("random_state", seed.valueAsNumber);
  };
  shows.push(() => (seed.value = settings().random_state));

  let running = false;
  const run = (value) => {
    running = value;
    start.textContent = running ? "‖ Pause" : "▶ Lancer";
    if (running) ask({});
  };
  const start = make("button", { onclick: () => run(!running), className: "primary" });
  const pauseThenAsk = (question) => () => {
    run(false);
    ask(question);
  };
  const once = make("button", { textContent: "Un pas", onclick: pauseThenAsk({ steps: 1 }) });
  const restart = make("button", {
    textContent: "↺ Recommencer",
    onclick: pauseThenAsk({ restart: true }),
  });
  const [speedBox, speed] = makeSelect("Vitesse", Object.entries(SPEEDS), () => {});
  speed.value = 5;

  const [network, networkContext] = makeCanvas(
    400,
    330,
    "Le réseau : chaque neurone avec sa frontière, un trait par poids",
  );
  const [plane, planeContext] = makeCanvas(
    330,
    330,
    "Les points et la frontière que trace le réseau",
  );
  const [curves, curvesContext] = makeCanvas(330, 90, "Les pertes à chaque pas");
  const status = make("p", { className: "status" });
  const legend = make("p", { className: "legend" });
  legend.textContent =
    "Orange : le neurone dit oui ; bleu : non ; blanc : il hésite. " +
    "Trait plein : poids positif ; tireté : négatif. " +
    "Points pleins : entraînement ; creux : test.";

  const draw = (answer, buffers) => {
    const maps = array(Uint8Array, buffers[0]);
    const { weights, extent, n_steps, accuracy } = answer;
    const nNeurons = weights.reduce((n, W) => n + W[0].length, weights[0].length);
    const side = Math.sqrt(maps.length / nNeurons);
    const [points, labels] = [array(Float32Array, buffers[1]), array(Uint8Array, buffers[2])];
    const output = maps.subarray(-side * side);
    drawNetwork(networkContext, 400, 330, weights, maps, side);
    const Z = array(Float32Array, buffers[4]);
    drawPlane(planeContext, 330, output, Z, side, points, labels, extent);
    drawCurves(curvesContext, 330, 90, array(Float32Array, buffers[3]));
    const [loss, testLoss] = answer.losses;
    if (answer.diverged) run(false);
    status.replaceChildren(
      make("b", { textContent: `Pas ${n_steps}` }),
      answer.diverged ? " · la descente diverge : baissez le taux d’apprentissage, puis ↺ Recommencer" : "",
      ` · perte ${decimal(loss)} (trait plein bleu)`,
      ` · perte de test ${decimal(testLoss)} (tireté)`,
      ` · exactitude de test ${percent(accuracy)}`,
    );
    el.dataset.steps = n_steps;
  };
  const [ask, forget] = makeAsker(model, draw, () => running && { steps: Number(speed.value) });

  const refresh = () => {
    shows.forEach((show) => show());
    ask({});
  };
  model.on("change:settings", refresh);
  const theme = new MutationObserver(() => ask({}));
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-name"] });
  el.classList.add("jouer");
  el.append(
    makeControls(start, once, restart, speedBox),
    status,
    makeControls(...controls, ...layers.map(([box]) => box), make("label", {}, "Graine", seed)),
    make("div", { className: "scene" }, network, make("div", {}, plane, curves)),
    legend,
  );
  warnOfRestart(model, el, () => run(false));
  keepKeys(el);
  run(false);
  refresh();
  return () => {
    running = false;
    forget();
    theme.disconnect();
    model.off("change:settings", refresh);
  };
}

// --- L'ardoise -----------------------------------------------------------------------

const SLATE = 280; // pixels de côté de l'ardoise
const SENT = 140; // pixels de côté de ce qui part vers le réseau
const MEMORY = 50; // gestes que l'on peut annuler
const PERIOD = 200; // millisecondes entre deux envois, au moins

function renderSlate(model, el) {
  const names = model.get("class_names");
  const canvas = make("canvas", { width: SLATE, height: SLATE, className: "slate", tabIndex: 0 });
  canvas.setAttribute("role", "application");
  canvas.setAttribute(
    "aria-label",
    "Ardoise. À la souris, au doigt ou au stylet ; " +
      "au clavier, les flèches déplacent la craie, Espace la pose ou la lève, " +
      "et Ctrl + Z annule.",
  );
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.lineCap = context.lineJoin = "round";
  const small = make("canvas", { width: SENT, height: SENT });
  const smallContext = small.getContext("2d", { willReadFrequently: true });

  /** Ce qui est dessiné, en SENT × SENT octets. */
  const pixels = () => {
    smallContext.drawImage(canvas, 0, 0, SENT, SENT);
    const { data } = smallContext.getImageData(0, 0, SENT, SENT);
    return new Uint8Array(SENT * SENT).map((_, i) => data[4 * i]);
  };

  // Ce que le réseau voit et dit.
  const [seen, seenContext] = makeCanvas(140, 140, "Le dessin tel que le réseau le reçoit");
  const [decisive, decisiveContext] = makeCanvas(140, 140, "Ce qui décide, sur le dessin");
  const bars = names.map((name) => {
    const bar = make("span", { className: "bar" });
    const value = make("span", { className: "value" });
    const label = make("span", { className: "name", textContent: name });
    const row = make("li", {}, label, make("span", { className: "track" }, bar), value);
    return { row, bar, value };
  });
  const verdict = make("p", { className: "status" });
  verdict.setAttribute("role", "status");

  let messages = 0;
  const draw = (answer, buffers, isMine) => {
    if (!isMine) return;
    const { side, seen: probabilities } = answer;
    const image = array(Uint8Array, buffers[0]);
    const map = array(Float32Array, buffers[1]);
    const picture = (color) => {
      const data = new ImageData(side, side);
      image.forEach((level, i) => data.data.set([...color(level, map[i]), 255], 4 * i));
      const raw = make("canvas", { width: side, height: side });
      raw.getContext("2d").putImageData(data, 0, 0);
      return raw;
    };
    seenContext.imageSmoothingEnabled = decisiveContext.imageSmoothingEnabled = false;
    seenContext.drawImage(picture((level) => [level, level, level]), 0, 0, 140, 140);
    const tint = (level, m) =>
      (m < 0 ? BLUE : ORANGE).map((c) => level * 0.45 * (1 - Math.abs(m)) + c * Math.abs(m));
    decisiveContext.drawImage(picture(tint), 0, 0, 140, 140);
    const best = probabilities.indexOf(Math.max(...probabilities));
    bars.forEach(({ row, bar, value }, k) => {
      const probability = probabilities[k] ?? 0;
      bar.style.width = `${100 * probability}%`;
      value.textContent = percent(probability);
      row.classList.toggle("best", k === best);
    });
    el.dataset.messages = ++messages;
    const text =
      best < 0
        ? `L’ardoise est vide. Une idée : ${names[idea]}.`
        : `Je vois : ${names[best]} (${percent(probabilities[best])}).`;
    const n = answer.learned;
    const s = n > 1 ? "s" : "";
    verdict.textContent = n ? `Merci, ${n} dessin${s} retenu${s}. ${text}` : text;
  };
  const [ask, forget] = makeAsker(model, draw);

  // La craie.
  let eraser = false;
  let pen = null; // où est la craie posée
  let last = 0;
  let timer = null;
  const send = (extra = {}) => {
    clearTimeout(timer);
    last = performance.now();
    ask({ side: SENT, ...extra }, pixels());
  };
  const sendSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(send, Math.max(0, last + PERIOD - performance.now()));
  };
  const setEraser = (value) => {
    eraser = value;
    tool.setAttribute("aria-pressed", eraser);
  };
  const choose = (label) => {
    truth.value = label;
    teach.disabled = label === "";
  };
  let idea = Math.floor(Math.random() * names.length);
  const blank = () => {
    setEraser(false);
    choose("");
    idea = (idea + 1) % names.length;
    context.fillStyle = "black";
    context.fillRect(0, 0, SLATE, SLATE);
    send();
  };

  const past = []; // l'ardoise avant chaque geste, le dernier à la fin
  const remember = () => {
    past.push(context.getImageData(0, 0, SLATE, SLATE));
    if (past.length > MEMORY) past.shift();
    undo.disabled = false;
  };
  const clear = () => {
    remember();
    blank();
  };
  const undoGesture = () => {
    if (pen || !past.length) return;
    context.putImageData(past.pop(), 0, 0);
    if (!past.length && document.activeElement === undo) canvas.focus();
    undo.disabled = !past.length;
    send();
  };
  const strokeTo = (x, y) => {
    context.strokeStyle = eraser ? "black" : "white";
    context.lineWidth = width.valueAsNumber;
    context.beginPath();
    context.moveTo(...pen);
    context.lineTo(x + 0.01, y); // un trait de longueur nulle ne laisserait rien
    context.stroke();
    pen = [x, y];
  };

  /** Ce que la craie enferme : le noir que l'on n'atteint pas depuis le bord. */
  const enclosed = () => {
    const { data } = context.getImageData(0, 0, SLATE, SLATE);
    const inside = new Uint8Array(SLATE * SLATE).map((_, i) => data[4 * i] < 250);
    const stack = [];
    const visit = (i) => inside[i] && ((inside[i] = 0), stack.push(i));
    for (let k = 0; k < SLATE; k++)
      [k, SLATE * (SLATE - 1) + k, SLATE * k, SLATE * k + SLATE - 1].forEach(visit);
    while (stack.length) {
      const i = stack.pop();
      if (i % SLATE > 0) visit(i - 1);
      if (i % SLATE < SLATE - 1) visit(i + 1);
      if (i >= SLATE) visit(i - SLATE);
      if (i < SLATE * (SLATE - 1)) visit(i + SLATE);
    }
    return inside;
  };
  let before = null; // ce qui était déjà enfermé (les rayures d'un zèbre) le reste
  const putDown = (x, y) => {
    remember();
    before = enclosed();
    pen = [x, y];
    strokeTo(x, y);
    sendSoon();
  };
  const liftUp = () => {
    pen = null;
    if (fill.checked && !eraser) {
      const image = context.getImageData(0, 0, SLATE, SLATE);
      enclosed().forEach((is, i) => is && !before[i] && image.data.set([255, 255, 255], 4 * i));
      context.putImageData(image, 0, 0);
    }
    sendSoon();
  };
  const position = (event) => {
    const box = canvas.getBoundingClientRect();
    const scale = SLATE / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  let pointer = null; // le doigt qui tient la craie
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || pointer !== null) return;
    if (pen) liftUp(); // posée au clavier
    cursor.hidden = true;
    canvas.setPointerCapture((pointer = event.pointerId));
    putDown(...position(event));
  };
  canvas.onpointermove = (event) => {
    if (!pen || event.pointerId !== pointer) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    (moves.length ? moves : [event]).forEach((move) => strokeTo(...position(move)));
    sendSoon();
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    if (pen) liftUp();
  };

  // Au clavier.
  const cursor = make("span", { className: "cursor", hidden: true });
  let at = [SLATE / 2, SLATE / 2];
  const showCursor = () => {
    cursor.style.left = `${(100 * at[0]) / SLATE}%`;
    cursor.style.top = `${(100 * at[1]) / SLATE}%`;
    cursor.classList.toggle("down", pen !== null);
  };
  canvas.onkeydown = (event) => {
    if (event.key.toLowerCase() === "z" && !event.shiftKey && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return undoGesture();
    }
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (move) {
      at = at.map((c, k) => Math.min(SLATE, Math.max(0, c + 6 * move[k])));
      if (pen) strokeTo(...at), sendSoon();
    } else if (pen) liftUp();
    else putDown(...at);
    cursor.hidden = false;
    showCursor();
  };
  canvas.onblur = () => {
    if (pen) liftUp();
    cursor.hidden = true;
  };

  // Les boutons.
  const tool = make("button", {
    textContent: "Gomme",
    onclick: () => setEraser(!eraser),
  });
  const undo = make("button", { textContent: "↶ Annuler", onclick: undoGesture, disabled: true });
  const width = make("input", { type: "range", min: 4, max: 40, value: 14 });
  const fill = make("input", { type: "checkbox", checked: true });
  const truth = make(
    "select",
    { onchange: () => choose(truth.value) },
    new Option("choisissez…", ""),
    ...names.map((name, k) => new Option(name, k)),
  );
  const teach = make("button", {
    textContent: "Le lui apprendre",
    className: "primary",
    onclick: () => send({ label: Number(truth.value) }),
  });

  const makeView = (view, caption) =>
    make("figure", {}, view, make("figcaption", { textContent: caption }));
  el.classList.add("jouer");
  el.append(
    makeControls(
      make("button", { textContent: "Effacer", onclick: clear }),
      undo,
      tool,
      make("label", {}, "Épaisseur", width),
      make("label", { className: "inline" }, fill, "remplir ce que le trait enferme"),
    ),
    verdict,
    make(
      "div",
      { className: "scene" },
      make("div", { className: "board" }, canvas, cursor),
      make("ul", {}, ...bars.map(({ row }) => row)),
      make(
        "div",
        { className: "views" },
        makeView(seen, "ce qu’il reçoit : 28 × 28 pixels"),
        makeView(decisive, "orange : ce qui le décide ; bleu : ce qui le fait douter"),
      ),
    ),
    makeControls(make("label", { className: "inline" }, "C’était :", truth), teach),
  );
  warnOfRestart(model, el);
  keepKeys(el);
  blank();
  return () => {
    clearTimeout(timer);
    forget();
  };
}

const PAGES = { Sandbox: renderSandbox, Slate: renderSlate };
export default { render: ({ model, el }) => PAGES[model.get("page")](model, el) };
