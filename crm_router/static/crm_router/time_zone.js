// Tells the service in which time zone the browser is: pages show times in it, unless the profile names another one.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `browser_zone=${zone}; path=/admin; max-age=31536000; SameSite=Lax${secure}`;
}
