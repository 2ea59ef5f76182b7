// A lane's thread of control, kept while another lane runs: Boost's fibers on stacks that are used again and again.
#pragma once
#include <sys/mman.h>

#include <boost/context/fiber.hpp>
#include <boost/context/stack_context.hpp>
#include <cstddef>
#include <new>
#include <vector>

namespace limrisk::test {

/// Stacks with a page below them that ends the program when a lane needs more.
class StackPool {
public:
    static constexpr std::size_t stack_bytes = std::size_t{256} << 10, guard_bytes = std::size_t{64} << 10;

    StackPool() = default;
    StackPool(const StackPool&) = delete;
    StackPool& operator=(const StackPool&) = delete;
    ~StackPool() {
        for (const boost::context::stack_context& stack : idle_) munmap(static_cast<char*>(stack.sp) - total_bytes, total_bytes);
    }

    boost::context::stack_context take() {
        if (!idle_.empty()) {
            const boost::context::stack_context stack = idle_.back();
            idle_.pop_back();
            return stack;
        }
        void* mapping = mmap(nullptr, total_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (mapping == MAP_FAILED) throw std::bad_alloc();
        mprotect(mapping, guard_bytes, PROT_NONE);
        boost::context::stack_context stack;
        stack.size = stack_bytes;
        stack.sp = static_cast<char*>(mapping) + total_bytes;
        return stack;
    }
    void give_back(const boost::context::stack_context& stack) { idle_.push_back(stack); }

private:
    static constexpr std::size_t total_bytes = stack_bytes + guard_bytes;
    std::vector<boost::context::stack_context> idle_;
};

/// What boost::context::fiber asks of an allocator.
struct PooledStack {
    StackPool* pool;
    boost::context::stack_context allocate() { return pool->take(); }
    void deallocate(boost::context::stack_context& stack) noexcept { pool->give_back(stack); }
};

using LaneFiber = boost::context::fiber;

}  // namespace limrisk::test
