// Which words are slurs, for covering them: not for deciding anything. Kept turned by 13 letters, so that nobody who
// reads this file has to read them; a service in other languages adds its own to the list.
const TURNED = (
  "avttre avttn snttbg snt xvxr fcvp puvax tbbx jrgonpx pbba cnxv genaal qlxr ergneq enturnq " +
  "gbjryurnq xenhg phag juber fyhg"
).split(" ");
const ENDINGS = ["", "s", "es", "y", "ed", "ish"];
const LOOKALIKES = { 0: "o", 1: "i", 3: "e", 4: "a", 5: "s", "@": "a", "$": "s", "!": "i" };

const turn = (word) => word.replace(/[a-z]/g, (c) => String.fromCharCode(((c.charCodeAt(0) - 84) % 26) + 97));
const SLURS = new Set(TURNED.flatMap((word) => ENDINGS.map((ending) => turn(word) + ending)));

/** Whether a word is a slur, however it is spelled. */
export function isSlur(word) {
  const plain = word.toLowerCase().normalize("NFKD").replace(/[.,;:?"'\u2019)\]!]+$/, "");
  const letters = [...plain].map((c) => LOOKALIKES[c] ?? c).join("").replace(/[^a-z]/g, "");
  return SLURS.has(letters);
}
