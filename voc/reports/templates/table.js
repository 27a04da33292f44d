"use strict";
(function () {
  var words = new Intl.Collator("ja");

  function live(table) {
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows);
    var form = document.querySelector('form[data-for="' + table.id + '"]');
    var fields = Array.prototype.slice.call(form.querySelectorAll("[data-filter]"));
    var said = form.querySelector("output");
    var unit = form.getAttribute("data-unit") || "行";

    // A column sorts by what its cells carry, or by what its rows carry under the column's own name.
    function value(row, button) {
      var name = button.getAttribute("data-key");
      return name ? row.getAttribute("data-" + name) : row.cells[Number(button.getAttribute("data-column"))].getAttribute("data-key");
    }

    function sort(button) {
      var isText = !button.hasAttribute("data-number");
      var head = button.parentNode;
      var was = head.getAttribute("aria-sort");
      // Amounts start with the largest, ranks and names with the first.
      var first = button.getAttribute("data-first") || (isText ? "ascending" : "descending");
      var next = was === "none" ? first : was === "ascending" ? "descending" : "ascending";
      var sign = next === "ascending" ? 1 : -1;
      rows.sort(function (a, b) {
        var x = value(a, button), y = value(b, button);
        if (x === "" || y === "") { return (x === "") - (y === ""); }
        return sign * (isText ? words.compare(x, y) : x - y);
      });
      rows.forEach(function (row) { body.appendChild(row); });
      table.querySelectorAll("th[aria-sort]").forEach(function (th) { th.setAttribute("aria-sort", "none"); });
      head.setAttribute("aria-sort", next);
    }

    function passes(row, field) {
      var wanted = field.value.trim(), which = field.getAttribute("data-filter");
      if (!wanted) { return true; }
      if (which === "text") {
        return (row.getAttribute("data-text") || row.textContent).toLowerCase().indexOf(wanted.toLowerCase()) >= 0;
      }
      return (/^\d+$/.test(which) ? row.cells[which].textContent : row.getAttribute("data-" + which)) === wanted;
    }

    function filter() {
      var n = 0;
      rows.forEach(function (row) {
        row.hidden = !fields.every(function (field) { return passes(row, field); });
        n += row.hidden ? 0 : 1;
      });
      said.textContent = n === rows.length ? "全" + n + unit : n + unit + "を表示（全" + rows.length + unit + "）";
    }

    table.querySelectorAll("th[aria-sort] button").forEach(function (button) {
      button.addEventListener("click", function () { sort(button); });
    });
    form.addEventListener("input", filter);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.hidden = false;
    table.classList.add("live");
    filter();
  }

  document.querySelectorAll("table.rank, table.sift").forEach(live);
})();
