#define LRID_TARGET portable
#define Eigen EigenPortable
#include "table.hpp"
