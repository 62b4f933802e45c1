addEventListener('fetch', e => {
  const asked = new URL(e.request.url)
  if (asked.pathname == '/through') e.respondWith(fetch(decodeURIComponent(asked.search.slice(1))))
})
