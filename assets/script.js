/* Comfort alone: every page works without it. It runs in old kernels too, so it is ES5 with XMLHttpRequest,
   and nothing is ever parsed from a string (the policy asks for Trusted Types): pages come as documents. */
(function () {
  "use strict";

  var POLL = 30000;
  var MARK = "#kept=";
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

  /* What is kept of a list, its filters, the place and how many pages were added, stands with the page's
     own entry in the tab's history. To another page of ours it goes in the address, which is shortened at
     once: nothing is stored, and the part after # reaches no server. */
  function whole(value) {
    return Math.max(0, Math.floor(Number(value)) || 0);
  }

  function checked(value) {
    value = value && typeof value === "object" ? value : {};
    return {
      path: String(value.path || ""),
      search: String(value.search || ""),
      y: whole(value.y),
      pages: Math.min(whole(value.pages), 1000),
      filtered: value.filtered === true,
    };
  }

  function keep(value) {
    try { history.replaceState(value, "", here); } catch (error) { /* Too often: then without. */ }
  }

  function kept() {
    var given = location.hash.indexOf(MARK) === 0;
    var value = null;
    try { value = given ? JSON.parse(decodeURIComponent(location.hash.slice(MARK.length))) : history.state; } catch (error) { /* Then none. */ }
    value = checked(value);
    if (given) keep(value);
    return value;
  }

  function hand(link, value) {
    link.hash = MARK + encodeURIComponent(JSON.stringify(value));
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
    var soon;

    function now(filtered) {
      return { path: location.pathname, search: location.search, y: window.pageYOffset, pages: pages, filtered: filtered };
    }
    function note() {
      clearTimeout(soon);
      soon = 0;
      // A search was posted: nothing leads back to it.
      if (!board.hasAttribute("data-posted")) keep(now(false));
    }
    function restore() {
      var link = document.querySelector("a[data-next]");
      if (pages < before.pages && link) add(link, function () { pages += 1; restore(); });
      else { window.scrollTo(0, before.y); note(); }
    }
    if (before.path === location.pathname) {
      if (before.filtered) before.pages = 0;
      if (before.filtered || before.search === location.search) restore();
    }

    window.addEventListener("scroll", function () { soon = soon || setTimeout(note, 400); });
    board.addEventListener("click", function (event) {
      var link = event.target;
      while (link && link !== board && link.nodeName !== "A") link = link.parentNode;
      if (!link || link.nodeName !== "A") return;
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      note();
      if (link.hasAttribute("data-next")) {
        event.preventDefault();
        if (link.hasAttribute("aria-busy")) return;
        link.setAttribute("aria-busy", "true");
        add(link, function (row) {
          pages += 1;
          note();
          row.querySelector("a").focus();
        });
      } else if (!board.hasAttribute("data-posted") && link.pathname.indexOf(location.pathname) === 0
          && (!link.hash || link.hash.indexOf(MARK) === 0)) {
        // The same address once more, with another end, would be no other page.
        if (link.pathname + link.search === here) {
          event.preventDefault();
          location.reload();
        } else {
          // A filter, or a member, who leads back.
          hand(link, now(link.pathname === location.pathname));
        }
      }
    });
  }

  /* The way back to the list leads to where one was in it, also from what follows a form of this page. */
  function lead(link) {
    var before = kept();
    if (before.path !== link.pathname) return;
    link.search = before.search;
    hand(link, before);
    each(document.querySelectorAll("main form[action]"), function (form) {
      form.action = form.getAttribute("action") + MARK + encodeURIComponent(JSON.stringify(before));
    });
  }

  each(document.querySelectorAll("[data-unscripted]"), function (own) { own.hidden = true; });
  each(document.querySelectorAll("form[data-wait]"), wait);
  each(document.querySelectorAll("a[data-list]"), lead);
  if (board) { poll(); hold(); }
})();
