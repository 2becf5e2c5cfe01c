// Signals as the server sends them: base64 of little-endian 16-bit µV, one lead after the other.

const MISSING = -32768;

export function decode({ signal, leads }) {
  const bytes = Uint8Array.from(atob(signal), (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const length = bytes.length / 2 / leads.length;
  const found = {};
  leads.forEach((lead, row) => {
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++) {
      const microvolts = view.getInt16(2 * (row * length + i), true);
      values[i] = microvolts === MISSING ? NaN : microvolts / 1000;
    }
    found[lead] = values;
  });
  return found;
}

// An ECG has no absolute zero: each lead is shown about its median.
export function median(values) {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  if (!known.length) return 0;
  const middle = known.length >> 1;
  return known.length % 2 ? known[middle] : (known[middle - 1] + known[middle]) / 2;
}
