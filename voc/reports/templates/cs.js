"use strict";
(function () {
  var words = new Intl.Collator("ja");

  function live(table) {
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows);
    var form = document.querySelector('form[data-for="' + table.id + '"]');
    var fields = Array.prototype.slice.call(form.querySelectorAll("[data-filter]"));
    var said = form.querySelector("output");

    function sort(button) {
      var at = Number(button.getAttribute("data-column"));
      var isText = !button.hasAttribute("data-number");
      var head = button.parentNode;
      var was = head.getAttribute("aria-sort");
      // Amounts start with the largest, names with the first.
      var next = was === "none" ? (isText ? "ascending" : "descending") : was === "ascending" ? "descending" : "ascending";
      var sign = next === "ascending" ? 1 : -1;
      rows.sort(function (a, b) {
        var x = a.cells[at].getAttribute("data-key"), y = b.cells[at].getAttribute("data-key");
        if (x === "" || y === "") { return (x === "") - (y === ""); }
        return sign * (isText ? words.compare(x, y) : x - y);
      });
      rows.forEach(function (row) { body.appendChild(row); });
      table.querySelectorAll("th[aria-sort]").forEach(function (th) { th.setAttribute("aria-sort", "none"); });
      head.setAttribute("aria-sort", next);
    }

    function filter() {
      var n = 0;
      rows.forEach(function (row) {
        var shown = fields.every(function (field) {
          var wanted = field.value.trim(), which = field.getAttribute("data-filter");
          if (!wanted) { return true; }
          return which === "text" ? row.textContent.toLowerCase().indexOf(wanted.toLowerCase()) >= 0 : row.cells[which].textContent === wanted;
        });
        row.hidden = !shown;
        n += shown ? 1 : 0;
      });
      said.textContent = n === rows.length ? "全" + n + "行" : n + "行を表示（全" + rows.length + "行）";
    }

    table.querySelectorAll("button[data-column]").forEach(function (button) {
      button.addEventListener("click", function () { sort(button); });
    });
    form.addEventListener("input", filter);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.hidden = false;
    table.classList.add("live");
    filter();
  }

  document.querySelectorAll("table.sift").forEach(live);
})();
