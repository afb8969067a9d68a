"use strict";
document.documentElement.classList.add("script");

// --- Drawings fill the width there is. Between its margins a drawing is stretched, letters are not; what lies in a
// margin keeps its distance from the edge.

const drawings = [...document.querySelectorAll(".drawing")].map((svg) => {
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const parts = [];
  const remember = (element, attribute) =>
    parts.push({ element, attribute, native: element.getAttribute(attribute) });
  for (const element of svg.querySelectorAll("rect, line, circle, text, polyline, polygon"))
    for (const attribute of ["x", "x1", "x2", "cx", "points", "transform", "width"])
      if (element.hasAttribute(attribute)) remember(element, attribute);
  return { svg, width, height, parts, left: Number(svg.dataset.left), right: Number(svg.dataset.right) };
});

function stretch(drawing, width) {
  const { left, right } = drawing, end = drawing.width - right;
  const wide = Math.max(width, drawing.width);
  const place = (x) =>
    x <= left ? x : x >= end ? x + wide - drawing.width : left + ((x - left) * (wide - right - left)) / (end - left);
  const shown = (x) => place(Number(x)).toFixed(1);
  for (const { element, attribute, native } of drawing.parts) {
    let value;
    if (attribute === "points")
      value = native.split(" ").map((pair) => pair.replace(/^[^,]+/, shown)).join(" ");
    else if (attribute === "transform")
      value = native.replace(/^(rotate\(\S+ )(\S+)/, (whole, before, x) => before + shown(x));
    else if (attribute === "width") {
      const x = Number(drawing.parts.find((part) => part.element === element).native);
      value = (place(x + Number(native)) - place(x)).toFixed(1);
    } else value = shown(native);
    element.setAttribute(attribute, value);
  }
  drawing.svg.setAttribute("viewBox", `0 0 ${wide} ${drawing.height}`);
}

const fit = (drawing) => stretch(drawing, drawing.svg.parentElement.clientWidth);
const watcher = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const drawing = drawings.find(({ svg }) => svg.parentElement === target);
    if (target.clientWidth > 0) fit(drawing);
  }
});
for (const drawing of drawings) watcher.observe(drawing.svg.parentElement);
addEventListener("beforeprint", () => drawings.forEach((drawing) => stretch(drawing, drawing.width)));
addEventListener("afterprint", () => drawings.forEach(fit));

// --- Values on hover, and on focus: a drawing is one stop of the Tab key, arrow keys go from mark to mark.

const tip = document.getElementById("tip"), spoken = document.getElementById("spoken");

function showTip(mark) {
  tip.textContent = mark.dataset.tip;
  tip.hidden = false;
  const box = mark.getBoundingClientRect(), own = tip.getBoundingClientRect();
  const left = box.left + box.width / 2 - own.width / 2, above = box.top - own.height - 8;
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - own.width - 4))}px`;
  tip.style.top = `${above > 4 ? above : box.bottom + 8}px`;
}

for (const { svg } of drawings) {
  const marks = [...svg.querySelectorAll("title")].map((title) => {
    const mark = title.parentElement;
    mark.dataset.tip = title.textContent;
    mark.classList.add("mark");
    title.remove();
    return mark;
  });
  if (!marks.length) continue;
  let current = -1;
  const leave = () => {
    if (current >= 0) marks[current].classList.remove("current");
    tip.hidden = true;
  };
  const go = (index) => {
    leave();
    current = (index + marks.length) % marks.length;
    marks[current].classList.add("current");
    showTip(marks[current]);
    spoken.textContent = tip.textContent;
  };
  const near = (event) => {
    const over = event.target.closest(".mark");
    if (over) return over;
    let nearest = null, least = 16;
    for (const mark of marks) {
      const box = mark.getBoundingClientRect();
      const distance = Math.hypot(
        Math.max(box.left - event.clientX, 0, event.clientX - box.right),
        Math.max(box.top - event.clientY, 0, event.clientY - box.bottom));
      if (distance < least) {
        nearest = mark;
        least = distance;
      }
    }
    return nearest;
  };
  svg.addEventListener("pointermove", (event) => {
    leave();
    const mark = near(event);
    if (!mark) return;
    current = marks.indexOf(mark);
    mark.classList.add("current");
    showTip(mark);
  });
  svg.addEventListener("pointerleave", leave);
  svg.setAttribute("tabindex", "0");
  svg.addEventListener("focus", () => {
    if (svg.matches(":focus-visible")) go(Math.max(current, 0));
  });
  svg.addEventListener("blur", leave);
  svg.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: current + 1, ArrowDown: current + 1, ArrowLeft: current - 1, ArrowUp: current - 1,
      Home: 0, End: marks.length - 1 };
    if (event.key === "Escape") leave();
    if (!(event.key in steps)) return;
    event.preventDefault();
    go(steps[event.key]);
  });
}

// --- Tables are sorted by a click on a column's title: by number where there are numbers; missing values stay last.

for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (body.rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((title, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...title.childNodes);
    title.append(button);
    button.addEventListener("click", () => {
      const descending = title.getAttribute("aria-sort") === "ascending";
      const numeric = [...body.rows].some((row) => row.cells[column].dataset.value !== undefined);
      const value = (row) => {
        const cell = row.cells[column];
        return numeric ? (cell.dataset.value === undefined ? null : Number(cell.dataset.value)) : cell.textContent;
      };
      const sorted = [...body.rows].sort((first, second) => {
        const a = value(first), b = value(second);
        if (a === null || b === null) return (a === null) - (b === null);
        return (numeric ? a - b : a.localeCompare(b)) * (descending ? -1 : 1);
      });
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      title.setAttribute("aria-sort", descending ? "descending" : "ascending");
      body.append(...sorted);
    });
  });
}

// --- The contents mark the section that is in sight.

const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const places = [...links.keys()].map((id) => document.getElementById(id));
function markCurrent() {
  const line = innerHeight / 3;
  const passed = places.filter((place) => place.getBoundingClientRect().top < line);
  const id = (passed.at(-1) ?? places[0]).id;
  for (const [name, link] of links) {
    if (name !== id) link.removeAttribute("aria-current");
    else if (!link.hasAttribute("aria-current")) {
      link.setAttribute("aria-current", "true");
      const list = link.closest("nav");
      if (list.scrollHeight > list.clientHeight) link.scrollIntoView({ block: "nearest" });
    }
  }
}
let waiting = false;
addEventListener("scroll", () => {
  tip.hidden = true;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    markCurrent();
  });
}, { passive: true });
markCurrent();

// --- Buttons that copy a text.

for (const button of document.querySelectorAll("button[data-copy]"))
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy), label = button.textContent;
    try {
      await navigator.clipboard.writeText(text.textContent.trim());
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected: copy with the keyboard";
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  });
