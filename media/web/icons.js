// Pictures for buttons and marks, drawn in strokes on a field of 24; they take the colour of the text beside them.

const PATHS = {
  mic: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3Z M6 11v1a6 6 0 0 0 12 0v-1 M12 18v3",
  muted: "M15 9.5V6a3 3 0 0 0-5.8-1 M9 9v3a3 3 0 0 0 4.7 2.5 M6 11v1a6 6 0 0 0 9.6 4.8 M18 11v1a6 6 0 0 1-.5 2.4 M12 18v3 M4 4l16 16",
  hand: "M8 12.5V6.3a1.4 1.4 0 0 1 2.8 0V11 M10.8 10.500V4.400a1.4 1.4 0 0 1 2.8 0V11 M13.6 10.500V5.800a1.4 1.4 0 0 1 2.8 0V13 M16.4 12V9a1.4 1.4 0 0 1 2.8 0v5.500a6.5 6.5 0 0 1-6.5 6.500c-2.6 0-4-1-5.4-3.100L4.6 13.700a1.4 1.4 0 0 1 2.3-1.600L8 13.5",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z M8.5 14.500a4.5 4.5 0 0 0 7 0 M9 9.500h.01 M15 9.500h.01",
  share: "M12 15V4 M8 7.5 12 3.500l4 4 M5 12v7a1.5 1.5 0 0 0 1.5 1.500h11A1.5 1.5 0 0 0 19 19v-7",
  leave: "M14 4H6.500A1.5 1.5 0 0 0 5 5.500v13A1.5 1.5 0 0 0 6.5 20H14 M10 12h10 M16.5 8l4 4-4 4",
  back: "M19 12H5 M11 6l-6 6 6 6",
  chart: "M5 20v-6 M10 20V9 M15 20v-8 M20 20V5",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z M3 20a6 6 0 0 1 12 0 M16 4.300a3.5 3.5 0 0 1 0 6.4 M18 14.500a6 6 0 0 1 3 5.5",
  calendar: "M5 6.500h14A1 1 0 0 1 20 7.500v11a1.5 1.5 0 0 1-1.5 1.500h-13A1.5 1.5 0 0 1 4 18.500v-11a1 1 0 0 1 1-1Z M4 11h16 M8.5 4v4 M15.5 4v4",
  bell: "M6.5 16.500V11a5.5 5.5 0 0 1 11 0v5.500l1.5 2H5Z M10 21h4",
  plus: "M12 5v14 M5 12h14",
  check: "M5 12.5 10 17.5 19.5 7",
  cross: "M6 6l12 12 M18 6 6 18",
  pin: "M9 4h6l-.7 6 3.2 3v1.500h-11V13l3.2-3Z M12 14.500V21",
  chat: "M5 5h14a1.5 1.5 0 0 1 1.5 1.500v8A1.5 1.5 0 0 1 19 16h-7l-4.5 4v-4H5a1.5 1.5 0 0 1-1.5-1.500v-8A1.5 1.5 0 0 1 5 5Z",
  keys: "M4 7h16a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1Z M7 10.500h.01 M10.3 10.500h.01 M13.7 10.500h.01 M17 10.500h.01 M8 14h8",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z M12 2.500v2 M12 19.500v2 M2.5 12h2 M19.5 12h2 M5.3 5.300l1.4 1.4 M17.3 17.300l1.4 1.4 M18.7 5.300l-1.4 1.4 M6.7 17.300l-1.4 1.4",
  dark: "M20 14.500A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.500Z",
  auto: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z M12 3v18 M12 8h7.8 M12 12h9 M12 16h7.8",
  volume: "M4 9.500v5h3.500L12 18.500v-13L7.5 9.500Z M15.5 9a4 4 0 0 1 0 6 M18 6.500a8 8 0 0 1 0 11",
  star: "M12 4l2.4 5 5.6.700-4.1 3.8 1.1 5.5-5-2.7-5 2.7 1.1-5.500L4 9.7 9.6 9Z",
  remove: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z M5.7 5.700l12.6 12.6",
  down: "M12 4v14 M6.5 12.5 12 18l5.5-5.5",
  search: "M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12Z M15.5 15.5 20 20",
  ticket: "M4 7.500h16V11a1.5 1.5 0 0 0 0 3v3.500H4V14a1.5 1.5 0 0 0 0-3Z M14 8v1.500 M14 11.700v1.600 M14 15.500V17",
  edit: "M4 20l1-4.500L16 4.500l3.500 3.500L8.500 19Z M14 6.500l3.500 3.500",
  trend: "M4 19h16 M5 15l4.5-5 3.5 3 6-7",
  send: "M4 12 20 4.5 15.5 20l-3.7-6.200Z M11.8 13.8 20 4.5",
};

const SVG = "http://www.w3.org/2000/svg";

/** Draw an icon; it is decoration, and says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  svg.dataset.icon = name;
  return svg;
}

/** Make an icon another one. */
export function redraw(svg, name) {
  if (svg.dataset.icon === name) return;
  svg.dataset.icon = name;
  svg.firstChild.setAttribute("d", PATHS[name]);
}
