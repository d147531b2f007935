// Pages that stand alone know the theme that the user chose, too: the back-office keeps it in the browser.
const chosen = (localStorage.getItem("adminTheme") || "").replaceAll('"', "");
if (["dark", "light"].includes(chosen)) document.documentElement.classList.add(chosen);
