package callback

// style is the page's look: one calm card, light or dark as the system is, still for
// those who asked for less motion. It stays a Go string, whose line ends are the same
// on every system, because its hash is in the policy.
const style = `
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --card: #ffffff; --edge: #e3e6ea; --shade: rgb(20 28 40 / .08); --halo: 100%;
  --ink: #17202b; --soft: #55606e; --mute: #66707d;
  --ok: #15803d; --ok-wash: #e8f5ec; --no: #9a4a3f; --no-wash: #f8eeec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0c0f12; --card: #161a1f; --edge: #272d34; --shade: rgb(0 0 0 / .4); --halo: 32%;
    --ink: #edf1f6; --soft: #a9b4c1; --mute: #8793a1;
    --ok: #63d392; --ok-wash: #1b3426; --no: #e8a093; --no-wash: #382522;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  min-height: 100vh; min-height: 100dvh; padding: 1.5rem;
  display: flex; align-items: center; justify-content: center;
  background-color: var(--ground);
  background-image: radial-gradient(44rem 34rem at 50% 42%, color-mix(in srgb, var(--wash) var(--halo), transparent), transparent);
  background-attachment: fixed;
  color: var(--ink); font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  -webkit-font-smoothing: antialiased;
}
main {
  width: 100%; max-width: 28rem; padding: 2.75rem 2.25rem 2.5rem; text-align: center;
  background: var(--card); border: 1px solid var(--edge); border-radius: 1.25rem;
  box-shadow: 0 1px 2px var(--shade), 0 1.25rem 3rem -1rem var(--shade);
  overflow-wrap: anywhere;
}
.ok { --tone: var(--ok); --wash: var(--ok-wash); }
.no { --tone: var(--no); --wash: var(--no-wash); }
svg { display: block; margin: 0 auto 1.5rem; fill: none; stroke: var(--tone); stroke-linecap: round; stroke-linejoin: round; }
circle { fill: var(--wash); stroke: none; }
path { stroke-width: 2.75; stroke-dasharray: 40; }
h1 { font-size: 1.5rem; line-height: 1.25; font-weight: 600; letter-spacing: -.015em; text-wrap: balance; }
p { margin-top: .75rem; color: var(--soft); text-wrap: balance; }
.detail { margin-top: 1.75rem; padding-top: 1.25rem; border-top: 1px solid var(--edge); color: var(--mute); font-size: .8125rem; white-space: pre-line; }
@media (prefers-reduced-motion: no-preference) {
  path { animation: draw .5s .15s ease-out backwards; }
}
@keyframes draw { from { stroke-dashoffset: 40; } }
`
