// A click on a heading sorts its table by that column, and another click turns the order. Cells without a value stay last.
for (const button of document.querySelectorAll("thead button")) {
  button.addEventListener("click", () => {
    const heading = button.closest("th");
    const body = heading.closest("table").tBodies[0];
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of heading.parentNode.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.children[heading.cellIndex];
    const rows = Array.from(body.rows);
    rows.sort((a, b) => {
      const [left, right] = [key(a), key(b)];
      const [x, y] = [left.dataset.value, right.dataset.value];
      if (x === undefined && y === undefined) return (up ? 1 : -1) * left.textContent.localeCompare(right.textContent);
      if (x === undefined || y === undefined) return x === undefined ? 1 : -1;
      return (up ? 1 : -1) * (Number(x) - Number(y));
    });
    body.append(...rows);
  });
}
