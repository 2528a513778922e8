#include "support/suite.h"

int main(void)
{
    return suite_run();
}
