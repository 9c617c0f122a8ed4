/* Passkeys are made and shown by scripts alone. Without them the forms stay hidden, and an SMS does. */
(function () {
  "use strict";

  var form = document.querySelector("form[data-passkey]");
  var site = form && form.getAttribute("data-rp");
  var host = location.hostname;
  var isOurs = form && (host === site || host.slice(-site.length - 1) === "." + site);
  var without = document.querySelector("[data-without]");
  if (!isOurs || !window.PublicKeyCredential || !AuthenticatorAttestationResponse.prototype.getPublicKey) return;

  var button = form.querySelector("button");
  var ways = { show: ask, make: make };
  if (without) without.hidden = true;
  form.hidden = false;
  button.addEventListener("click", function () {
    tell(null);
    button.disabled = true;
    ways[form.getAttribute("data-passkey")]();
  });

  /* base64url, as the server writes and reads bytes. */
  function bytes(text) {
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), function (own) { return own.charCodeAt(0); });
  }

  function text(buffer) {
    var binary = String.fromCharCode.apply(null, new Uint8Array(buffer || []));
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  /* Shows the line of what went wrong, or none. */
  function tell(what) {
    ["data-failed", "data-known"].forEach(function (name) {
      var line = form.querySelector("[" + name + "]");
      if (line) line.hidden = name !== what;
    });
    button.disabled = false;
  }

  function failed(error) {
    tell(error && error.name === "InvalidStateError" ? "data-known" : "data-failed");
  }

  function send(values) {
    Object.keys(values).forEach(function (name) { form.elements[name].value = text(values[name]); });
    form.submit();
  }

  function ask() {
    var request = new XMLHttpRequest();
    request.open("POST", "/api/v1/sign-in/passkey/challenge");
    request.responseType = "json";
    request.timeout = 20000;
    request.onerror = request.ontimeout = failed;
    request.onload = function () {
      var asked = request.response;
      if (request.status !== 201 || !asked) { failed(); return; }
      navigator.credentials.get({
        publicKey: { challenge: bytes(asked.challenge), rpId: asked.rp_id, timeout: asked.timeout, userVerification: "required" }
      }).then(function (shown) {
        send({
          id: shown.rawId,
          user_id: shown.response.userHandle,
          client_data: shown.response.clientDataJSON,
          authenticator_data: shown.response.authenticatorData,
          signature: shown.response.signature
        });
      }).catch(failed);
    };
    request.send();
  }

  function make() {
    var asked = JSON.parse(form.getAttribute("data-options"));
    navigator.credentials.create({
      publicKey: {
        challenge: bytes(asked.challenge),
        rp: { id: asked.rp_id, name: document.querySelector(".brand").textContent },
        user: { id: bytes(asked.user_id), name: asked.user_name, displayName: asked.user_name },
        pubKeyCredParams: asked.algorithms.map(function (alg) { return { type: "public-key", alg: alg }; }),
        excludeCredentials: asked.exclude.map(function (id) { return { type: "public-key", id: bytes(id) }; }),
        authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
        attestation: "none",
        timeout: asked.timeout
      }
    }).then(function (made) {
      send({
        client_data: made.response.clientDataJSON,
        authenticator_data: made.response.getAuthenticatorData(),
        public_key: made.response.getPublicKey()
      });
    }).catch(failed);
  }
})();
