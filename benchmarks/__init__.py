"""Speed, measured: ratios against a baseline run side by side in the same minute."""
