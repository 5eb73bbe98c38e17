throw new SyntaxError('not today');
