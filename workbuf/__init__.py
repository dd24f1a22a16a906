"""Go's work buffers at commit a15818fed303: the buffers, their three lists, and the shared memory under them."""
