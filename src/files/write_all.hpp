// Bytes to a descriptor, all of them.
#pragma once
#include <string_view>

namespace limrisk {

/// Goes on after interruptions and waits where a write would block. 0, or the errno of the write that failed.
int write_all(int descriptor, std::string_view bytes);

}  // namespace limrisk
