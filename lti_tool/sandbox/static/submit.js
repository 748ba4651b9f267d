// Sends the page's one form at once; without scripts its button does.
document.querySelector("form[data-submit-at-once]").submit();
