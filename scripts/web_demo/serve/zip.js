// Puts files into one ZIP without compressing them: a folder of DICOM files travels as the one file that a series is.
window.zipOf = (function () {
  const TABLE = new Uint32Array(256).map((_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value >>> 0;
  });
  const UTF8_NAMES = 0x0800;

  function crc32(bytes) {
    let value = 0xffffffff;
    for (const byte of bytes) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
    return (value ^ 0xffffffff) >>> 0;
  }

  function record(length, fields) {
    const view = new DataView(new ArrayBuffer(length));
    for (const [at, size, value] of fields) size === 2 ? view.setUint16(at, value, true) : view.setUint32(at, value, true);
    return view.buffer;
  }

  // files: [{name, file}]; the ZIP is made of the browser's own blobs, so that large files stay on the disk.
  return async function (files) {
    const parts = [], directory = [];
    let at = 0, directorySize = 0;
    for (const { name, file } of files) {
      const label = new TextEncoder().encode(name);
      const crc = crc32(new Uint8Array(await file.arrayBuffer()));
      const common = [crc, file.size, file.size];
      parts.push(record(30, [
        [0, 4, 0x04034b50], [4, 2, 20], [6, 2, UTF8_NAMES], [14, 4, common[0]], [18, 4, common[1]], [22, 4, common[2]],
        [26, 2, label.length],
      ]), label, file);
      directory.push(record(46, [
        [0, 4, 0x02014b50], [4, 2, 20], [6, 2, 20], [8, 2, UTF8_NAMES], [16, 4, common[0]], [20, 4, common[1]],
        [24, 4, common[2]], [28, 2, label.length], [42, 4, at],
      ]), label);
      at += 30 + label.length + file.size;
      directorySize += 46 + label.length;
    }
    const end = record(22, [
      [0, 4, 0x06054b50], [8, 2, files.length], [10, 2, files.length], [12, 4, directorySize], [16, 4, at],
    ]);
    return new Blob([...parts, ...directory, end], { type: "application/zip" });
  };
})();
