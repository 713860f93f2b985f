// Charts: what is to be drawn, as configurations of Chart.js (a package, served beside the page as `Chart`).

import { point, tick, unitHeading } from './format.js';

const { Chart } = window;

/** Colours of the style sheet as they are now, light or dark. */
function colour(name) {
  const probe = document.getElementById('probe');
  probe.className = name;
  return getComputedStyle(probe).color;
}

const palette = () => ({
  series: ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7'].map((name) => colour(`probe-${name}`)),
  text: colour('probe-text'),
  muted: colour('probe-muted'),
  grid: colour('probe-grid'),
  surface: colour('probe-surface'),
});

const faded = (rgb, alpha) => rgb.replace(/rgba?\(([^)]+)\)/, (_, parts) => `rgba(${parts.split(',').slice(0, 3).join(',')}, ${alpha})`);

const FONT = { size: 12 };

/** Shares that come near the whole end at 100 %; else a little room above the largest. */
function shareRange(series) {
  const most = Math.max(0, ...series.flatMap((one) => one.values));
  return !most || (most > 0.6 && most <= 1) ? { max: 1, grace: 0 } : {};
}

/** `title`: what is measured; a duration says its unit, too. */
function valueAxis(colours, unit, currency, title = '') {
  const text = [title, unitHeading(unit)].filter(Boolean).join(', ');
  return {
    beginAtZero: true,
    border: { display: false },
    grid: { color: colours.grid, drawBorder: false, drawTicks: false },
    ticks: {
      color: colours.muted,
      font: FONT,
      padding: 8,
      maxTicksLimit: 6,
      precision: unit === 'count' ? 0 : undefined,
      callback: (value) => tick(value, unit, currency),
    },
    title: { display: Boolean(text), text, color: colours.muted, font: FONT },
    grace: '6%',
  };
}

function nameAxis(colours, title, more = {}) {
  return {
    grid: { display: false, drawBorder: false },
    ticks: { color: colours.text, font: FONT, padding: 4, autoSkipPadding: 14, maxRotation: 0, ...more },
    title: { display: Boolean(title), text: title, color: colours.muted, font: FONT },
  };
}

const NAME_MARGIN_PX = 12;

/** What fits beside the bars of a name: its beginning, where the canvas would cut it. Called as a function of the axis. */
function fittingName(value) {
  const { ctx, chart, maxWidth } = this;
  const text = String(this.getLabelForValue(value));
  const room = Math.min(maxWidth || Infinity, chart.width / 2) - NAME_MARGIN_PX;
  const letters = [...text];
  ctx.save();
  ctx.font = `${FONT.size}px ${Chart.defaults.font.family}`;
  const fits = (one) => ctx.measureText(one).width <= room;
  let shown = text;
  while (letters.length > 1 && !fits(shown)) {
    letters.pop();
    shown = `${letters.join('')}…`;
  }
  ctx.restore();
  return shown;
}

/** The axis of bars that lie. */
const rowAxis = (colours) => nameAxis(colours, '', { autoSkip: false, callback: fittingName });

function legend(colours, series) {
  return {
    display: series.length > 1,
    position: 'top',
    align: 'start',
    labels: { color: colours.text, font: FONT, boxWidth: 8, boxHeight: 8, padding: 14, usePointStyle: true },
  };
}

function tooltip(colours, { series }, currency) {
  return {
    backgroundColor: colours.text,
    titleColor: colours.surface,
    bodyColor: colours.surface,
    titleFont: { ...FONT, weight: '600' },
    bodyFont: FONT,
    padding: 10,
    cornerRadius: 8,
    boxPadding: 5,
    usePointStyle: true,
    filter: (item) => !item.dataset.silent,
    callbacks: { label: (item) => ` ${item.dataset.label}: ${point(item.dataset.numbers[item.dataIndex], series[0].unit, currency)}` },
  };
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** What all charts share; `axes` are {x, y}. */
function configuration(type, data, colours, currency, { axes, datasets, options = {}, plugins = [] }) {
  if (data.series[0].unit === 'ratio') Object.assign(options.indexAxis === 'y' ? axes.x : axes.y, shareRange(data.series));
  return {
    type,
    data: { labels: data.labels, datasets },
    plugins,
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: calm.matches ? false : { duration: 500 },
      interaction: { mode: 'index', intersect: false, axis: options.indexAxis === 'y' ? 'y' : 'x' },
      scales: axes,
      plugins: { legend: legend(colours, data.series), tooltip: tooltip(colours, data, currency) },
      ...options,
    },
  };
}

function line(series, i, colours) {
  return {
    label: series.name,
    data: series.values,
    numbers: series.values,
    queries: series.queries,
    borderColor: colours.series[i],
    backgroundColor: colours.series[i],
    borderWidth: 2,
    pointRadius: series.values.length > 20 ? 0 : 2.5,
    clip: 8, // a point at 100 % is a whole one
    pointHoverRadius: 5,
    pointHitRadius: 10,
    spanGaps: true,
    cubicInterpolationMode: 'monotone',
    pointStyle: 'circle',
  };
}

function bar(series, i, colours) {
  return {
    label: series.name,
    data: series.values,
    numbers: series.values,
    queries: series.queries,
    backgroundColor: colours.series[i],
    hoverBackgroundColor: faded(colours.series[i], 0.8),
    borderRadius: 3,
    maxBarThickness: 26,
    categoryPercentage: 0.74,
    barPercentage: 0.92,
    pointStyle: 'rectRounded',
  };
}

function trend(chart, data, colours, currency) {
  const { unit } = data.series[0];
  const make = chart.stacked ? bar : line;
  const axes = { x: nameAxis(colours, data.axis), y: valueAxis(colours, unit, currency, data.measure) };
  if (chart.stacked) axes.x.stacked = axes.y.stacked = true;
  return configuration(chart.stacked ? 'bar' : 'line', data, colours, currency, {
    axes,
    datasets: data.series.map((one, i) => make(one, i, colours)),
  });
}

/** Numbers at the end of bars: nobody has to follow a grid line. Its options: {unit, currency, colour}. */
const endLabels = {
  id: 'endLabels',
  afterDatasetsDraw(chart, _, { unit, currency, colour: ink }) {
    const { ctx, data } = chart;
    ctx.save();
    Object.assign(ctx, { fillStyle: ink, font: `500 11px ${Chart.defaults.font.family}`, textBaseline: 'middle', textAlign: 'left' });
    const write =
      (dataset) =>
      ({ x, y, base }, i) => {
        if (dataset.numbers[i] !== null)
          ctx.fillText(point(dataset.numbers[i], unit, currency, unit === 'money'), Math.max(x, base) + 6, y);
      };
    data.datasets.forEach((dataset, i) => chart.isDatasetVisible(i) && chart.getDatasetMeta(i).data.forEach(write(dataset)));
    ctx.restore();
  },
};

/** Goals as a dataset of marks across the bars: they take part in the legend, the tooltip and the scale. */
function goalMarks(goals, colours, lying) {
  return {
    type: 'line',
    label: 'Goal',
    data: goals,
    numbers: goals,
    showLine: false,
    pointStyle: 'line',
    pointRotation: lying ? 90 : 0,
    pointRadius: lying ? 12 : 30,
    pointHoverRadius: lying ? 12 : 30,
    pointBorderWidth: 2.5,
    borderColor: colours.text,
    backgroundColor: colours.text,
    queries: [],
  };
}

function bars(chart, data, colours, currency) {
  const { unit } = data.series[0];
  const datasets = data.series.map((one, i) => bar(one, i, colours));
  if (chart.upright) {
    return configuration('bar', data, colours, currency, {
      axes: { x: nameAxis(colours, data.axis), y: valueAxis(colours, unit, currency, data.measure) },
      datasets,
    });
  }
  const axes = { x: valueAxis(colours, unit, currency, data.measure), y: rowAxis(colours) };
  const made = configuration('bar', data, colours, currency, {
    axes,
    datasets,
    plugins: data.goals ? [] : [endLabels],
    options: { indexAxis: 'y', layout: { padding: { right: data.goals ? 0 : 48 } } },
  });
  made.options.plugins.endLabels = { unit, currency, colour: colours.muted };
  if (data.goals) {
    datasets.unshift(goalMarks(data.goals, colours, true));
    made.options.plugins.legend.display = true;
  }
  return made;
}

/** A duration's distribution: a band from the median to p90, marks for average and p95. */
function spread(chart, data, colours, currency) {
  const [average, p50, p90, p95] = data.series;
  const { unit } = average;
  const mark = (series, style, shade) => ({
    type: 'line',
    label: series.name,
    data: series.values,
    numbers: series.values,
    queries: series.queries,
    showLine: false,
    pointStyle: style,
    pointRadius: style === 'line' ? 9 : 5,
    pointHoverRadius: 7,
    pointRotation: style === 'line' ? 90 : 0,
    pointBorderWidth: style === 'line' ? 2.5 : 1.5,
    borderColor: style === 'line' ? shade : colours.surface,
    backgroundColor: shade,
  });
  const band = {
    label: 'median to p90',
    data: p50.values.map((low, i) => [low, p90.values[i]]),
    numbers: p50.values,
    queries: p50.queries,
    silent: true,
    backgroundColor: faded(colours.series[0], 0.28),
    borderSkipped: false,
    borderRadius: 4,
    maxBarThickness: 16,
    pointStyle: 'rectRounded',
  };
  const datasets = [
    mark(p50, 'line', colours.series[0]),
    mark(average, 'circle', colours.series[2]),
    mark(p90, 'line', faded(colours.series[0], 0.65)),
    mark(p95, 'rectRot', colours.muted),
    band,
  ];
  return configuration('bar', data, colours, currency, {
    axes: { x: valueAxis(colours, unit, currency, data.measure), y: rowAxis(colours) },
    datasets,
    options: { indexAxis: 'y' },
  });
}

function months(chart, data, colours, currency) {
  const { unit } = data.series[0];
  const axes = { x: nameAxis(colours, data.axis), y: valueAxis(colours, unit, currency) };
  const datasets = data.series.map((one, i) => bar(one, i, colours));
  if (data.goals) datasets.unshift(goalMarks(data.goals, colours, false));
  return configuration('bar', data, colours, currency, { axes, datasets });
}

const KINDS = { trend, bars, spread, steps: bars, months };
export const isDrawn = (kind) => kind in KINDS;

const ROW_PX = 30;
const GROUP_PX = 16;

/** How high a chart has to be for its rows, in pixels; null: as the style sheet says. */
export function heightOf(chart, data) {
  const lying = chart.kind === 'spread' || chart.kind === 'steps' || (chart.kind === 'bars' && !chart.upright);
  if (!lying) return null;
  const perRow = chart.kind === 'spread' ? ROW_PX : ROW_PX + GROUP_PX * (data.series.length - 1);
  return Math.max(180, data.labels.length * perRow + (data.series.length > 1 || data.goals ? 96 : 64));
}

const drawn = new Map(); // id → Chart

function sameShape(chart, made) {
  return (
    chart.config.type === made.type &&
    chart.config.plugins.length === made.plugins.length &&
    chart.data.datasets.length === made.data.datasets.length &&
    chart.canvas.isConnected
  );
}

/** Draws, or moves what is drawn to its new numbers. `onPick(query, name)`: a number was chosen. */
export function draw(id, canvas, chart, data, currency, onPick) {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const made = KINDS[chart.kind](chart, data, palette(), currency);
  made.options.onClick = (_, [first], { data: { datasets, labels } }) => {
    const query = first && datasets[first.datasetIndex].queries[first.index];
    if (query) onPick(query, `${datasets[first.datasetIndex].label}, ${labels[first.index]}`);
  };
  made.options.onHover = (event, elements) => event.native?.target.classList.toggle('pickable', elements.length > 0);
  const before = drawn.get(id);
  if (before && sameShape(before, made) && before.canvas === canvas) {
    before.data.labels = made.data.labels;
    made.data.datasets.forEach((dataset, i) => Object.assign(before.data.datasets[i], dataset));
    before.options = made.options;
    before.update();
    return;
  }
  before?.destroy();
  drawn.set(id, new Chart(canvas, made));
}

/** Forgets charts whose canvas is no longer shown. */
export function forgetGone() {
  for (const [id, chart] of drawn) {
    if (chart.canvas?.isConnected) continue;
    chart.destroy();
    drawn.delete(id);
  }
}
