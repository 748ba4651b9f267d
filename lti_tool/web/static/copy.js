// A button beside each value that is to be copied. Without this script the values can be selected as ever.

for (const field of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  const { copy: label, copied } = field.dataset;
  button.type = "button";
  button.className = "btn btn-outline-primary";
  button.textContent = label;
  button.setAttribute("aria-describedby", field.labels[0]?.id ?? "");
  button.addEventListener("click", async () => {
    field.focus();
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Not allowed here, or no https: it is selected at least.
      return;
    }
    button.textContent = copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
  field.after(button);
}
