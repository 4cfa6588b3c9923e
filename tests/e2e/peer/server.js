// Runs the Bot API server of telegram-test-api: node server.js FOLDER PORT. Ends with its standard input.
const path = require('path');
const [, , folder, port] = process.argv;
const TelegramServer = require(path.join(folder, 'node_modules', 'telegram-test-api'));
new TelegramServer({ host: '127.0.0.1', port: Number(port) }).start();
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
