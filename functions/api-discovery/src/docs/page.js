"use strict";

(async () => {
  const document = await (await fetch("openapi.json")).json();
  // The document names the public deployment. What is tried out here goes to the one that served this page, under its stage's prefix.
  const here = new URL("..", location.href);
  document.servers = [{ url: (here.origin + here.pathname).replace(/\/$/, "") }];
  SwaggerUIBundle({
    spec: document,
    dom_id: "#swagger-ui",
    docExpansion: "list",
    // A key lives in the page's memory and is gone with it.
    persistAuthorization: false,
    // No badge from the outside.
    validatorUrl: null,
  });
})();
