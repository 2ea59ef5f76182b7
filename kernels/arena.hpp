// A bump allocator over memory that the caller owns: measure with a null base, allocate that much, lay out again.
#pragma once
#include <cstddef>
#include <cstdint>

#include "macros.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

class Arena {
public:
    explicit Arena(char* base) : base_(base) {}

    /// `count` objects, aligned to 64 bytes, not initialized.
    template <class T>
    T* take(std::int64_t count) {
        T* start = base_ ? reinterpret_cast<T*>(base_ + used_) : nullptr;
        used_ += (static_cast<std::size_t>(count) * sizeof(T) + 63) / 64 * 64;
        return start;
    }
    std::size_t used() const { return used_; }

private:
    char* base_;
    std::size_t used_ = 0;
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
