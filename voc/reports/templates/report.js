"use strict";
(function () {
  var table = document.getElementById("rank-table");
  if (!table) { return; }
  var body = table.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var form = document.querySelector(".filters");
  var said = form.querySelector("output");
  var words = new Intl.Collator("ja");
  form.hidden = false;
  table.classList.add("live");

  function value(row, key) { return row.getAttribute("data-" + key); }

  function sort(button) {
    var key = button.getAttribute("data-key");
    var head = button.parentNode;
    var isText = key === "label" || key === "segment";
    var was = head.getAttribute("aria-sort");
    // Amounts start with the largest, ranks and names with the first.
    var first = isText || key === "rank" ? "ascending" : "descending";
    var next = was === "none" ? first : was === "ascending" ? "descending" : "ascending";
    var sign = next === "ascending" ? 1 : -1;
    rows.sort(function (a, b) {
      var x = value(a, key), y = value(b, key);
      if (x === "" || y === "") { return (x === "") - (y === ""); }
      return sign * (isText ? words.compare(x, y) : x - y);
    });
    rows.forEach(function (row) { body.appendChild(row); });
    table.querySelectorAll("th[aria-sort]").forEach(function (th) { th.setAttribute("aria-sort", "none"); });
    head.setAttribute("aria-sort", next);
  }

  function filter() {
    var text = form.querySelector("[data-filter=text]").value.trim().toLowerCase();
    var kind = form.querySelector("[data-filter=kind]").value;
    var tiers = form.querySelector("[data-filter=verdict]");
    var verdict = tiers ? tiers.value : "";
    var areas = form.querySelector("[data-filter=area]");
    var area = areas ? areas.value : "";
    var n = 0;
    rows.forEach(function (row) {
      var shown = (!text || value(row, "text").toLowerCase().indexOf(text) >= 0) &&
        (!kind || value(row, "kind") === kind) && (!area || value(row, "area") === area) && (!verdict || value(row, "verdict") === verdict);
      row.hidden = !shown;
      n += shown ? 1 : 0;
    });
    said.textContent = n === rows.length ? "全" + n + "課題" : n + "課題を表示（全" + rows.length + "課題）";
  }

  table.querySelectorAll("button[data-key]").forEach(function (button) {
    button.addEventListener("click", function () { sort(button); });
  });
  form.addEventListener("input", filter);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  filter();
})();
