"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  // Tables: a heading's button sorts by it; rows whose sample is too small stay below when points are sorted.
  const compare = (a, b) => {
    const x = Number(a), y = Number(b);
    return a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y) ? x - y : a.localeCompare(b, "zh");
  };
  for (const button of all("table.list thead button")) {
    button.addEventListener("click", () => {
      const head = button.closest("th"), body = button.closest("table").tBodies[0];
      const column = Array.from(head.parentNode.children).indexOf(head);
      const down = head.getAttribute("aria-sort") !== "descending";
      for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => row.children[column].dataset.value ?? row.children[column].textContent.trim();
      const few = (row) => (head.dataset.ranked !== undefined && row.dataset.few !== undefined ? 1 : 0);
      const rows = Array.from(body.rows).sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (few(a) !== few(b)) return few(a) - few(b);
        if ((x === "") !== (y === "")) return x === "" ? 1 : -1;
        return (down ? -1 : 1) * compare(x, y);
      });
      body.append(...rows);
    });
  }

  // Calls: search, filters, order.
  const list = document.getElementById("calls");
  const tools = document.getElementById("tools");
  if (list && tools) {
    const cards = all(".call", list);
    const words = tools.querySelector("input"), agent = tools.querySelector("[name=agent]");
    const order = tools.querySelector("[name=order]"), shown = tools.querySelector("output");
    const filters = all("[data-flag]", tools);
    const texts = new Map();
    const text = (card) => {
      if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
      return texts.get(card);
    };
    const refresh = () => {
      const wanted = words.value.trim().toLowerCase();
      const flags = filters.filter((button) => button.getAttribute("aria-pressed") === "true").map((b) => b.dataset.flag);
      let count = 0;
      for (const card of cards) {
        const has = card.dataset.flags.split(" ");
        const fits = flags.every((flag) => has.includes(flag)) &&
          (agent.value === "" || card.dataset.agent === agent.value) && (wanted === "" || text(card).includes(wanted));
        card.classList.toggle("hidden", !fits);
        count += fits ? 1 : 0;
      }
      shown.textContent = `${count} / ${cards.length} 通`;
    };
    const names = Array.from(new Set(cards.map((card) => card.dataset.agent))).sort((a, b) => a.localeCompare(b, "zh"));
    for (const name of names) agent.append(new Option(name, name));
    words.addEventListener("input", refresh);
    agent.addEventListener("change", refresh);
    for (const button of filters) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
        refresh();
      });
    }
    order.addEventListener("change", () => {
      const key = (card) => Number(card.dataset.points);
      const sorted = order.value === "given" ? cards : [...cards].sort((a, b) =>
        ((key(a) < 0) - (key(b) < 0)) || (order.value === "low" ? key(a) - key(b) : key(b) - key(a)));
      list.append(...sorted);
    });
    tools.querySelector("[data-open]").addEventListener("click", (event) => {
      const open = event.currentTarget.getAttribute("aria-pressed") !== "true";
      event.currentTarget.setAttribute("aria-pressed", String(open));
      for (const card of cards) if (!card.classList.contains("hidden")) card.open = open;
    });
    tools.classList.remove("hidden");
    refresh();
  }

  // Findings and the words they rest on light up together.
  for (const type of ["mouseover", "mouseout", "focusin", "focusout"]) {
    document.addEventListener(type, (event) => {
      const from = event.target instanceof Element ? event.target.closest("[data-finding]") : null;
      const card = from && from.closest(".call");
      if (!card) return;
      const lit = type === "mouseover" || type === "focusin";
      for (const mark of all("mark[data-numbers]", card)) {
        if (mark.dataset.numbers.split(" ").includes(from.dataset.finding)) mark.classList.toggle("lit", lit);
      }
    });
  }

  // A link into a closed call opens it.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const card = target && target.closest("details.call");
    if (card && !card.open) {
      card.open = true;
      target.scrollIntoView();
    }
  };
  window.addEventListener("hashchange", reveal);
  reveal();
})();
