"use strict";

// By its address, not as an object: the document's first server is relative to where the document came from.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  docExpansion: "list",
  // A key lives in the page's memory and is gone with it.
  persistAuthorization: false,
  // No badge from the outside.
  validatorUrl: null,
});
