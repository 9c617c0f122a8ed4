/* Comfort alone: every page works without it. It runs in old kernels too, so it is ES5 with XMLHttpRequest,
   and nothing is ever parsed from a string (the policy asks for Trusted Types): pages come as documents. */
(function () {
  "use strict";

  var POLL = 30000;
  var KEPT = "tuantibu-list";
  var board = document.querySelector("main[data-poll]");
  var here = location.pathname + location.search;

  function each(list, run) {
    for (var at = 0; at < list.length; at += 1) run(list[at]);
  }

  /* Brings another page of ours: its status, and the page as a document. */
  function bring(address, done) {
    var request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.timeout = 20000;
    request.onload = function () { done(request.status, request.response); };
    request.onerror = request.ontimeout = function () { done(0, null); };
    request.send();
  }

  /* Makes one node like another and touches nothing that is alike, so that the focus stays. */
  function liken(old, fresh) {
    var at, own;
    if (old.nodeName !== fresh.nodeName) {
      old.parentNode.replaceChild(document.importNode(fresh, true), old);
    } else if (old.nodeType !== 1) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    } else {
      for (at = old.attributes.length - 1; at >= 0; at -= 1) {
        own = old.attributes[at].name;
        if (!fresh.hasAttribute(own)) old.removeAttribute(own);
      }
      each(fresh.attributes, function (given) {
        if (old.getAttribute(given.name) !== given.value) old.setAttribute(given.name, given.value);
      });
      while (old.childNodes.length > fresh.childNodes.length) old.removeChild(old.lastChild);
      for (at = 0; at < fresh.childNodes.length; at += 1) {
        if (at < old.childNodes.length) liken(old.childNodes[at], fresh.childNodes[at]);
        else old.appendChild(document.importNode(fresh.childNodes[at], true));
      }
    }
  }

  /* A register's counts, while somebody looks at them. */
  function poll() {
    var last = Date.now();
    var busy = false;
    var timer = setInterval(look, POLL);
    var list = document.querySelector(".members");
    document.addEventListener("visibilitychange", look);

    function look() {
      if (document.hidden || busy || Date.now() - last < POLL) return;
      busy = true;
      last = Date.now();
      bring(board.getAttribute("data-poll"), function (status, page) {
        busy = false;
        if (status === 200 && page && page.querySelector("[data-live]")) show(page);
        // Signed out, removed or gone: it does not come back by asking. Down or too much: it may.
        else if (status > 0 && status < 500 && status !== 429) stop();
      });
    }

    function stop() {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    }

    function show(page) {
      // Newer kernels hold the place themselves where something above it grows.
      var held = "overflowAnchor" in document.documentElement.style;
      var before = list && !held ? list.getBoundingClientRect().top : 0;
      var changed = document.querySelector("[data-changed]");
      each(page.querySelectorAll("[data-live]"), function (fresh) {
        var old = document.querySelector('[data-live="' + fresh.getAttribute("data-live") + '"]');
        var key = fresh.getAttribute("data-key");
        // The first member: the page without a list becomes one with a list.
        if (!old) { stop(); location.reload(); return; }
        if (key && key === old.getAttribute("data-key")) return;
        if (key && changed && old.hasAttribute("data-rows")) changed.hidden = false;
        liken(old, fresh);
      });
      // Only while the list itself is read: else what changes is what is looked at.
      if (before < 0) window.scrollBy(0, list.getBoundingClientRect().top - before);
    }
  }

  /* The seconds until another code may be asked for, on the button that asks. */
  function wait(form) {
    var button = form.querySelector("button");
    var words = button.textContent;
    var until = Date.now() + form.getAttribute("data-wait") * 1000;
    (function tick() {
      var left = Math.ceil((until - Date.now()) / 1000);
      button.disabled = left > 0;
      button.textContent = left > 0 ? form.getAttribute("data-words").replace("#", left) : words;
      if (left > 0) setTimeout(tick, 1000);
    })();
  }

  /* What is kept of a list: its address, the place, and how many pages were added. */
  function kept() {
    try { return JSON.parse(sessionStorage.getItem(KEPT)) || {}; } catch (error) { return {}; }
  }

  function keep(value) {
    try { sessionStorage.setItem(KEPT, JSON.stringify(value)); } catch (error) { /* Then without. */ }
  }

  /* Adds the next page to the list; where that fails, goes there. */
  function add(link, done) {
    bring(link.href, function (status, page) {
      var rows = page && status === 200 ? page.querySelectorAll(".members tbody tr") : [];
      var body = document.querySelector(".members tbody");
      var count, first;
      if (!rows.length) { location.href = link.href; return; }
      each(rows, function (row) {
        var own = body.appendChild(document.importNode(row, true));
        first = first || own;
      });
      liken(document.querySelector(".pager"), page.querySelector(".pager"));
      count = document.querySelector("[data-count]");
      count.textContent = count.getAttribute("data-count").replace("#", body.querySelectorAll("tr").length);
      done(first);
    });
  }

  /* The list's place: held while filtering, and found again when coming back. */
  function hold() {
    var before = kept();
    var pages = 0;
    var filtered = false;
    var type = window.performance && performance.navigation ? performance.navigation.type : 0;
    var back = before.href === here && (before.back || type > 0);

    function restore() {
      var link = document.querySelector("a[data-next]");
      if (pages < before.pages && link) add(link, function () { pages += 1; restore(); });
      else window.scrollTo(0, before.y);
    }
    if (back && (before.back || before.pages)) restore();
    else if (before.filtered && before.path === location.pathname) window.scrollTo(0, before.y);

    window.addEventListener("pagehide", function () {
      // A search was posted: nothing leads back to it.
      if (board.hasAttribute("data-posted")) return;
      keep({ path: location.pathname, href: here, y: window.pageYOffset, pages: pages, filtered: filtered });
    });
    board.addEventListener("click", function (event) {
      var link = event.target;
      while (link && link !== board && link.nodeName !== "A") link = link.parentNode;
      if (!link || link.nodeName !== "A") return;
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      if (link.hasAttribute("data-next")) {
        event.preventDefault();
        if (link.hasAttribute("aria-busy")) return;
        link.setAttribute("aria-busy", "true");
        add(link, function (row) {
          pages += 1;
          row.querySelector("a").focus();
        });
      } else if (link.pathname === location.pathname && !link.hash) {
        filtered = true;
      }
    });
  }

  /* The way back to the list leads to where one was in it. */
  function lead(link) {
    var before = kept();
    if (before.path !== link.pathname) return;
    link.setAttribute("href", before.href);
    link.addEventListener("click", function () {
      before.back = true;
      keep(before);
    });
  }

  each(document.querySelectorAll("[data-unscripted]"), function (own) { own.hidden = true; });
  each(document.querySelectorAll("form[data-wait]"), wait);
  each(document.querySelectorAll("a[data-list]"), lead);
  if (board) { poll(); hold(); }
})();
