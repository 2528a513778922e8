#pragma once
/** How many descriptors this process has open, for tests of leaks. */
unsigned descriptors_open(void);
