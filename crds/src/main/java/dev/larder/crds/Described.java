package dev.larder.crds;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What a field of a manifest means; docs/manifest.md is made of these, and a test compares it with them. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface Described {
    String value();

    /** As a person would write it in the manifest, or in words; "" = the field must be given, or one of its siblings. */
    String byDefault() default "";

    /** The members stand in the parent itself, without a level of their own. */
    boolean inline() default false;
}
