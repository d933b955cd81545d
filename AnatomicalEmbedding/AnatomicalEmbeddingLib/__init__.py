"""Between the library `anatembed` and Slicer: floor 2 knows MRML nodes but no Qt, floor 3 is the panel."""
