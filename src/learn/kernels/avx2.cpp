#define LRID_TARGET avx2
#define Eigen EigenAvx2
#include "table.hpp"
