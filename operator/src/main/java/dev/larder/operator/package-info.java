/**
 * Makes what a SharedVolume asks for and keeps it so. Every reconciliation takes the same steps: observe (read, never
 * act), validate, plan (pure), apply, record. What cannot be undone is done after the status says so.
 */
package dev.larder.operator;
