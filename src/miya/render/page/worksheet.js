"use strict";
document.getElementById("save").addEventListener("click", () => {
  const rows = [...document.querySelectorAll("input.blank")].map((field) => {
    const value = field.value.trim();
    return field.dataset.symbol + "," + (/[",\n]/.test(value) ? '"' + value.replaceAll('"', '""') + '"' : value);
  });
  const name = document.getElementById("name").value.trim().replace(/[^\p{L}\p{N} _-]/gu, "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([["symbol,value", ...rows, ""].join("\n")], { type: "text/csv" }));
  link.download = (name || "answers") + ".csv";
  link.click();
});
