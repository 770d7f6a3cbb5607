'use strict';
const $ = (id) => document.getElementById(id);
const PERIOD = 1000, LIST_PERIOD = 5000;
let span = 'last_10s', last = null, failing = false;

// Numbers as the server writes them, too: groups of three, at most three digits that matter below ten.
const group = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
const rate = (n) => (n > 0 && n < 9.95 ? (Math.round(n * 10) / 10).toFixed(1) : group(n));
const ratio = (n) => (n * 100).toFixed(n > 0 && n < 0.0995 ? 1 : 0) + '\u00a0%';
const some = (n, f) => (n === null || n === undefined ? '\u2013' : f(n));
const time = (s) => (s < 0.001 ? (s * 1e6).toFixed(0) + '\u00a0\u00b5s' : s < 1 ? (s * 1e3).toFixed(s < 0.01 ? 2 : 1) + '\u00a0ms' : s.toFixed(2) + '\u00a0s');
function octets(n) {
  const units = ['', 'k', 'M', 'G', 'T'];
  let unit = 0;
  while (n >= 999.95 && unit < 4) { n /= 1000; unit += 1; }
  return (unit ? n.toFixed(1) + '\u00a0' + units[unit] : group(n) + '\u00a0');
}
const plain = (n) => n.toFixed(2);
function age(seconds) {
  const s = Math.floor(seconds), d = Math.floor(s / 86400), two = (n) => String(n).padStart(2, '0');
  return (d ? d + ' d ' : '') + two(Math.floor(s / 3600) % 24) + ':' + two(Math.floor(s / 60) % 60) + ':' + two(s % 60);
}

const moment = (at) => at.replace('T', ' ').replace(/\.\d+Z$/, 'Z');

function cell(value, kind) {
  const [name, ...classes] = (kind || 'td').split('.');
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(' ');
  if (name === 'th') element.scope = 'row';
  if (value instanceof Node) element.append(value); else element.textContent = value;
  return element;
}
function fill(id, kinds, rows, nothing) {
  const body = $(id);
  const made = rows.map((row) => {
    const line = document.createElement('tr');
    row.forEach((value, at) => line.append(cell(value, kinds[at])));
    return line;
  });
  if (!made.length) {
    const line = document.createElement('tr'), only = cell(nothing, 'td.none');
    only.colSpan = kinds.length;
    line.append(only);
    made.push(line);
  }
  body.replaceChildren(...made);
}
function put(id, text) { const element = $(id); if (element.textContent !== text) element.textContent = text; }
function word(text, kind) { const element = document.createElement('span'); element.className = kind; element.textContent = text; return element; }
function busy(value) {
  const all = document.createDocumentFragment(), meter = document.createElement('meter');
  meter.max = 1; meter.high = 0.85; meter.value = value; meter.setAttribute('aria-hidden', 'true');
  all.append(ratio(value), meter);
  return all;
}
function spark(id, values) {
  const most = Math.max(1, ...values), step = 120 / Math.max(1, values.length - 1);
  const points = values.map((value, at) => (at * step).toFixed(1) + ',' + (27 - 25 * value / most).toFixed(1)).join(' ');
  const line = $(id).querySelector('polyline');
  line.setAttribute('points', points);
}
const counts = (list) => list.filter((each) => each.count).map((each) => each.name.replaceAll('_', ' ') + ' ' + group(each.count)).join(', ') || '\u2013';

function show(s) {
  const r = s.rates[span];
  const state = $('state');
  state.textContent = s.draining ? '\u25a0 draining' : '\u25cf ready';
  state.className = 'state ' + (s.draining ? 'warn' : 'ok');
  put('uptime', age(s.uptime_seconds)); put('generation', group(s.config_generation)); put('version', s.version);
  const c = s.config, reload = c.last_reload;
  put('loaded', moment(c.loaded_at)); put('hash', (c.sha256 || '').slice(0, 12));
  put('reload', reload ? reload.outcome + ' ' + moment(reload.at) + (reload.reason ? ': ' + reload.reason : '')
    + (reload.needs_restart.length ? ', waiting for a restart: ' + reload.needs_restart.join(', ') : '') : 'none');
  $('reload').className = reload && reload.outcome !== 'applied' ? 'bad' : '';
  put('backend', s.backend + ' (' + s.backend_reason + ')');
  put('sessions', group(s.sessions.all)); put('established', group(s.sessions.established));
  put('ssdus-in', rate(r.ssdus_in_per_second)); put('ssdus-out', rate(r.ssdus_out_per_second));
  put('octets-in', octets(r.octets_in_per_second)); put('octets-out', octets(r.octets_out_per_second));
  put('opened', rate(r.opened_per_second)); put('closed', rate(r.closed_per_second));
  const h = s.history;
  spark('spark-sessions', h.sessions); spark('spark-ssdus-in', h.ssdus_in_per_second); spark('spark-ssdus-out', h.ssdus_out_per_second);
  spark('spark-octets-in', h.octets_in_per_second); spark('spark-octets-out', h.octets_out_per_second); spark('spark-opened', h.opened_per_second);
  fill('shards', ['th', 'td.n.less', 'td.n', 'td.n', 'td.n', 'td.n', 'td.n.less', 'td.n.less', 'td.n.less', 'td.n.less', 'td.n.less', 'td.n.less'], s.shards.map((shard) => {
    const of = shard.rates[span];
    return [String(shard.number), some(shard.core, String), group(shard.sessions), busy(of.busy_ratio),
      rate(of.ssdus_in_per_second), rate(of.ssdus_out_per_second), octets(of.octets_in_per_second), octets(of.octets_out_per_second),
      rate(of.turns_per_second), some(shard.system_calls_per_spdu, plain), group(shard.blocks_free) + ' / ' + group(shard.blocks), octets(shard.queue_octets)];
  }), 'No shard.');
  fill('listeners', ['th', 'td', 'td.less', 'td.less', 'td.less', 'td.n', 'td.n.less', 'td.n.less', 'td.t'], s.listeners.map((l) =>
    [l.name, l.address, l.application, some(l.to, String), l.tls ? 'TLS ' + l.tls : 'plain', some(l.sessions, group), some(l.established, group), some(l.established_per_second, rate), counts(l.refused)]), 'No listener.');
  fill('targets', ['th', 'td.less', 'td', 'td', 'td.n', 'td.n.less', 'td.t.less', 'td.n.less', 'td.n', 'td.less'], s.targets.map((t) => {
    const out = t.ejected_for_seconds !== null && t.ejected_for_seconds !== undefined;
    const health = out ? word('ejected, ' + Math.ceil(t.ejected_for_seconds) + ' s', 'bad')
      : t.health === 'down' ? word('down', 'bad') : t.health === 'up' ? word('up', 'ok') : some(t.health, String);
    return [t.removed ? t.name + ' (removed)' : t.name, t.address, t.state === 'ready' ? word('ready', 'ok') : word(t.state, 'warn'), health,
      some(t.sessions, group), group(t.weight), counts(t.connects), some(t.connect_p50_seconds, time), some(t.connect_p99_seconds, time), t.tls ? 'TLS ' + t.tls : 'plain'];
  }), 'No target is configured.');
  fill('routes', ['th', 'td.w', 'td.n', 'td.n'], s.routes.map((route) =>
    [route.removed ? route.name + ' (removed)' : route.name, route.to, some(route.sessions, group), some(route.matched, group)]), 'No route is configured.');
  fill('upstreams', ['th', 'td.w', 'td.t'], s.upstreams.map((u) =>
    [u.removed ? u.name + ' (removed)' : u.name, u.balance, u.targets.join(', ')]), 'No upstream is configured.');
  fill('latencies', ['th', 'td.n', 'td.n', 'td.n.less', 'td.n', 'td.n.less'], s.latencies.map((l) =>
    [l.stage, group(l.count), some(l.p50_seconds, time), some(l.p90_seconds, time), some(l.p99_seconds, time), some(l.mean_seconds, time)]), '');
  const states = s.sessions;
  fill('states', ['th', 'td.n'], [['established', group(states.established)], ['opening', group(states.opening)],
    ['accepted by the gateway', group(states.responder)], ['opened by the gateway', group(states.initiator)], ['being refused', group(states.being_refused)]], '');
  fill('closings', ['th', 'td.n'], s.closings.map((each) => [each.name.replaceAll('_', ' '), group(each.count)]), 'No session has ended.');
  fill('refusals', ['th.t', 'td.n'], s.refusals.map((each) => [each.name, group(each.count)]), 'No connection was refused.');
  const t = s.totals;
  fill('totals', ['th', 'td.n'], [['sessions opened', group(t.opened)], ['sessions established', group(t.established)], ['sessions ended', group(t.closed)],
    ['SSDUs in', group(t.ssdus_in)], ['SSDUs out', group(t.ssdus_out)], ['user octets in', group(t.user_octets_in)], ['user octets out', group(t.user_octets_out)],
    ['faults of peers', group(t.faults)], ['log records dropped', group(t.records_dropped)]], '');
  fill('events', ['td', 'td', 'td', 'td.t', 'td.t'], s.events.slice().reverse().map((e) => {
    let id = '\u2013';
    if (e.event_id) { id = document.createElement('a'); id.href = '/manual/' + encodeURIComponent(e.event_id); id.textContent = e.event_id; }
    const fields = Object.entries(e.fields).map(([name, value]) => name + '=' + value).join(' ');
    return [moment(e.at), e.level === 'info' ? 'info' : word(e.level, e.level === 'error' ? 'bad' : 'warn'), id, e.message, fields];
  }), 'Nothing has happened.');
}
function list(s) {
  const shown = s.sessions.length;
  put('sessions-said', shown < s.total ? group(shown) + ' of ' + group(s.total) + ' sessions.' : s.total === 1 ? '1 session.' : group(s.total) + ' sessions.');
  fill('session-list', LIST, s.sessions.map((l) => [l.session, l.phase.replaceAll('_', ' ') + ', ' + l.state, some(l.listener, String), some(l.target, String),
    some(l.peer, String), age(l.age_seconds), age(l.idle_seconds), octets(l.bytes_in), octets(l.bytes_out), octets(l.queued_bytes)]), 'No session exists.');
}

function gone(is, text) {
  failing = is;
  const note = $('gone');
  note.hidden = !is;
  note.textContent = is ? text : '';
  if (is) { const state = $('state'); state.textContent = '\u2715 gone'; state.className = 'state bad'; }
}
async function update() {
  if (!document.hidden) {
    try {
      const answer = await fetch('/status.json', { cache: 'no-store' });
      if (!answer.ok) throw new Error('it answers ' + answer.status);
      last = await answer.json();
      if (failing) gone(false);
      show(last);
      document.body.dataset.updates = String(1 + Number(document.body.dataset.updates || 0));
    } catch (error) {
      gone(true, 'The gateway does not answer (' + error.message + '). The numbers below are the last ones it gave' + (last ? ', at ' + last.at : '') + '.');
    }
  }
  setTimeout(update, PERIOD);
}
const LIST = ['th', 'td.w', 'td.less', 'td.less', 'td', 'td.n.less', 'td.n', 'td.n.less', 'td.n.less', 'td.n.less'];
async function listSessions() {
  if (document.hidden || failing) return;
  try {
    const answer = await fetch('/sessions.json?sort=' + $('order').value, { cache: 'no-store' });
    if (!answer.ok) throw new Error('it answers ' + answer.status);
    list(await answer.json());
  } catch (error) {
    // The rows are as old as this says; whether the gateway is there at all, the status tells.
    put('sessions-said', 'The list below is not up to date (' + error.message + ').');
  }
}
async function keepListing() { await listSessions(); setTimeout(keepListing, LIST_PERIOD); }
$('order').addEventListener('change', listSessions);
$('orders').hidden = false;
$('span').addEventListener('change', (event) => { span = event.target.value; if (last) show(last); });
$('spans').hidden = false;

update();
keepListing();
